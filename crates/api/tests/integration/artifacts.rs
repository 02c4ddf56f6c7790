use axum::body::Body;
use http::Method;
use serde_json::json;

use crate::test_app::TestApp;

const PROXY: &str = "/api/2.0/mlflow-artifacts/artifacts";

#[tokio::test]
async fn files_go_in_and_come_out() {
    let test = TestApp::new().await;
    let experiment = test.experiment(&test.admin, "x").await;
    let run = test.run(&test.admin, &experiment).await;
    let root = format!("{experiment}/{run}/artifacts");
    let content: Vec<u8> = (0..700_000_u32).flat_map(|n| [n as u8]).collect();
    test.upload(&test.admin, &format!("{root}/a/b%20%C3%A9+%25.txt"), content.clone()).await.ok();
    test.upload(&test.admin, &format!("{root}/top.html"), "<script>alert(1)</script>").await.ok();
    let found = test.get(&test.admin, &format!("{PROXY}/{root}/a/b%20%C3%A9+%25.txt")).await;
    assert_eq!(found.headers["content-type"], "text/plain");
    assert_eq!(found.headers["content-length"], "700000");
    assert_eq!(found.bytes.unwrap(), content);
    let page = test.get(&test.admin, &format!("{PROXY}/{root}/top.html")).await;
    assert!(page.headers["content-disposition"].to_str().unwrap().starts_with("attachment"));
    assert_eq!(page.headers["content-type"], "application/octet-stream");
    assert_eq!(page.headers["x-content-type-options"], "nosniff");
    let list = |path: &str| format!("{PROXY}?path={}", path.replace('/', "%2F"));
    let listed = test.get(&test.admin, &list(&root)).await.ok();
    assert_eq!(
        listed,
        json!({"files": [
            {"path": "a", "is_dir": true}, {"path": "top.html", "is_dir": false, "file_size": 25},
        ]})
    );
    let listed = test.get(&test.admin, &list(&format!("{root}/a"))).await.ok();
    assert_eq!(listed["files"][0]["path"], "b é+%.txt");
    let listed = test.ask(&test.admin, &format!("artifacts/list?run_id={run}&path=a")).await.ok();
    assert_eq!(listed["files"][0]["path"], "a/b é+%.txt");
    assert_eq!(listed["root_uri"], format!("mlflow-artifacts:/{root}"));
    test.get(&test.admin, &format!("{PROXY}/{root}/absent")).await.error(404, "RESOURCE_DOES_NOT_EXIST");
    test.call(&test.admin, Method::DELETE, &format!("{PROXY}/{root}/a"), Body::empty()).await.ok();
    assert_eq!(test.get(&test.admin, &list(&format!("{root}/a"))).await.ok(), json!({}));
    // No plain byte of it is on the disk.
    let mut pending = vec![test.folder().to_path_buf()];
    while let Some(path) = pending.pop() {
        if path.is_dir() {
            pending.extend(std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        } else {
            let bytes = std::fs::read(&path).unwrap();
            assert!(!bytes.windows(15).any(|window| window == b"<script>alert(1"), "{}", path.display());
        }
    }
}

#[tokio::test]
async fn paths_that_leave_are_refused_by_name_with_every_method() {
    let test = TestApp::new().await;
    let experiment = test.experiment(&test.admin, "x").await;
    let run = test.run(&test.admin, &experiment).await;
    let root = format!("{experiment}/{run}/artifacts");
    let paths = [
        format!("{root}/../../../etc/passwd"),
        format!("{root}/%2e%2e/%2e%2e/x"),
        format!("{root}/..%2f..%2fx"),
        format!("{root}/%252e%252e%252fx"),
        format!("{root}/a%5c..%5cx"),
        format!("{root}/%00"),
        format!("{root}//x"),
        format!("{root}/./x"),
        format!("{root}/x%0d%0aSet-Cookie:a"),
        "../../etc/passwd".to_owned(),
        "/etc/passwd".to_owned(),
        "%2fetc%2fpasswd".to_owned(),
        ".".to_owned(),
        String::new(),
        format!("{experiment}/{run}"),
        experiment.clone(),
    ];
    for path in &paths {
        for method in [Method::GET, Method::PUT, Method::DELETE] {
            let answer = test.call(&test.admin, method.clone(), &format!("{PROXY}/{path}"), "x").await;
            let message = answer.error(400, "INVALID_PARAMETER_VALUE");
            assert!(message.contains("artifact.path"), "{method} {path}: {message}");
        }
    }
    for path in ["..", "%2Fetc", "1%2F..%2F2", "1%2F%252e%252e%2F2", "%5C", "%2F", "."] {
        let message =
            test.get(&test.admin, &format!("{PROXY}?path={path}")).await.error(400, "INVALID_PARAMETER_VALUE");
        assert!(message.contains("artifact.path"), "{path}: {message}");
    }
    let path = format!("artifacts/list?run_id={run}&path=..%2Fx");
    let refused = test.ask(&test.admin, &path).await;
    assert_eq!(refused.json()["rules"], json!(["artifact.path"]));
    assert_eq!(refused.error(400, "INVALID_PARAMETER_VALUE"), "Invalid path");
    let ledger = test.ledger().await;
    assert!(TestApp::has(&ledger, &json!({"act": "artifact-refused", "rule": "artifact.path", "outcome": "refused"})));
}

#[tokio::test]
async fn the_named_experiment_must_be_the_runs() {
    let test = TestApp::new().await;
    let (mine, other) = (test.experiment(&test.admin, "a").await, test.experiment(&test.admin, "b").await);
    let ada = test.user("ada", &[(&format!("experiment:{mine}"), "MANAGE")]).await;
    let (run, model) = (test.run(&test.admin, &other).await, test.logged_model(&test.admin, &other).await);
    test.upload(&test.admin, &format!("{other}/{run}/artifacts/x"), "secret").await.ok();
    for place in [format!("{mine}/{run}/artifacts/x"), format!("{mine}/models/{model}/artifacts/MLmodel")] {
        for method in [Method::GET, Method::PUT, Method::DELETE] {
            let answer = test.call(&ada, method, &format!("{PROXY}/{place}"), "x").await;
            answer.error(403, "PERMISSION_DENIED");
        }
    }
    // Nothing of it is shown, nor whether there is such a run elsewhere.
    for run in [run.as_str(), &"0".repeat(32)] {
        let list = format!("{PROXY}?path={mine}%2F{run}%2Fartifacts");
        assert_eq!(test.get(&ada, &list).await.ok(), json!({}));
    }
    let list = format!("{PROXY}?path={other}%2F{run}%2Fartifacts");
    test.get(&ada, &list).await.error(403, "PERMISSION_DENIED");
}

#[tokio::test]
async fn what_lies_loose_is_for_administrators() {
    let test = TestApp::new().await;
    let experiment = test.experiment(&test.admin, "x").await;
    let run = test.run(&test.admin, &experiment).await;
    test.upload(&test.admin, &format!("{experiment}/{run}/artifacts/kept.txt"), "kept").await.ok();
    test.upload(&test.admin, "a.txt", "one").await.ok();
    test.upload(&test.admin, "dir/b%20c.pdf", "two").await.ok();
    test.upload(&test.admin, "dir/b%20c.pdf", "three").await.ok();
    let found = test.get(&test.admin, &format!("{PROXY}/dir/b%20c.pdf")).await;
    assert_eq!(found.headers["content-type"], "application/pdf");
    assert!(found.headers["content-disposition"].to_str().unwrap().starts_with("attachment"));
    assert_eq!(found.bytes.unwrap(), "three");
    let root = json!({"files": [
        {"path": "a.txt", "is_dir": false, "file_size": 3}, {"path": "dir", "is_dir": true},
    ]});
    assert_eq!(test.get(&test.admin, PROXY).await.ok(), root);
    let dir = json!({"files": [{"path": "b c.pdf", "is_dir": false, "file_size": 5}]});
    assert_eq!(test.get(&test.admin, &format!("{PROXY}?path=dir")).await.ok(), dir);
    // What no row names is collected; these are named.
    let collected = test.post(&test.admin, "/api/sealyard/v1/artifacts/collect", json!({"dry_run": false})).await.ok();
    assert_eq!(collected["unused"], 0, "{collected}");
    assert_eq!(test.get(&test.admin, &format!("{PROXY}/a.txt")).await.bytes.unwrap(), "one");
    // Every right on everything that grants can speak of is not enough.
    let all = ["experiment:*", "registered-model:*", "server", "workspace:default"].map(|what| (what, "MANAGE"));
    let ada = test.user("ada", &all).await;
    for method in [Method::GET, Method::PUT, Method::DELETE] {
        for path in ["a.txt", "absent", "dir"] {
            let answer = test.call(&ada, method.clone(), &format!("{PROXY}/{path}"), "x").await;
            answer.error(403, "PERMISSION_DENIED");
        }
    }
    for path in [PROXY.to_owned(), format!("{PROXY}?path=dir")] {
        test.get(&ada, &path).await.error(403, "PERMISSION_DENIED");
    }
    // They are scanned, and sent in one piece.
    let pickle = b"cos\nsystem\n(S'true'\ntR.".to_vec();
    let message = test.upload(&test.admin, "bad.pkl", pickle).await.error(400, "INVALID_PARAMETER_VALUE");
    assert!(message.contains("pickle-dangerous-global"), "{message}");
    let begin = "/api/2.0/mlflow-artifacts/mpu/create/dir";
    test.post(&test.admin, begin, json!({"path": "x", "num_parts": 2})).await.error(400, "INVALID_PARAMETER_VALUE");
    // They go one by one or by folder, and never with a run's.
    test.call(&test.admin, Method::DELETE, &format!("{PROXY}/dir"), Body::empty()).await.ok();
    test.call(&test.admin, Method::DELETE, &format!("{PROXY}/dir"), Body::empty())
        .await
        .error(404, "RESOURCE_DOES_NOT_EXIST");
    let folder = format!("{PROXY}/{experiment}/{run}");
    test.call(&test.admin, Method::DELETE, &folder, Body::empty()).await.error(400, "INVALID_PARAMETER_VALUE");
    let kept = test.get(&test.admin, &format!("{PROXY}/{experiment}/{run}/artifacts/kept.txt")).await;
    assert_eq!(kept.bytes.unwrap(), "kept");
    let ledger = test.ledger().await;
    for act in [
        json!({"act": "artifact-uploaded", "path": "mlflow-artifacts:/a.txt"}),
        json!({"act": "artifact-deleted", "path": "mlflow-artifacts:/dir"}),
        json!({"act": "access-denied", "action": "administer", "resource": "server"}),
    ] {
        assert!(TestApp::has(&ledger, &act), "{act}");
    }
}

#[tokio::test]
async fn an_experiments_folder_holds_nothing_beside_its_runs() {
    let test = TestApp::new().await;
    let experiment = test.experiment(&test.admin, "x").await;
    let (none, ada) = (test.user("none", &[]).await, test.user("ada", &[("experiment:*", "MANAGE")]).await);
    for path in [experiment.clone(), format!("{experiment}/test.txt"), format!("{experiment}/models/m")] {
        for method in [Method::GET, Method::PUT, Method::DELETE] {
            let target = format!("{PROXY}/{path}");
            test.call(&none, method.clone(), &target, "x").await.error(403, "PERMISSION_DENIED");
            let message = test.call(&ada, method, &target, "x").await.error(400, "INVALID_PARAMETER_VALUE");
            assert!(message.contains("artifact.path"), "{path}: {message}");
        }
    }
    let begin = format!("/api/2.0/mlflow-artifacts/mpu/create/{experiment}/artifacts/model");
    let body = json!({"path": "x", "num_parts": 1});
    test.post(&none, &begin, body.clone()).await.error(403, "PERMISSION_DENIED");
    test.post(&ada, &begin, body).await.error(400, "INVALID_PARAMETER_VALUE");
}

#[tokio::test]
async fn an_unsafe_pickle_is_refused_and_gone() {
    let test = TestApp::new().await;
    let experiment = test.experiment(&test.admin, "x").await;
    let run = test.run(&test.admin, &experiment).await;
    let path = format!("{experiment}/{run}/artifacts/model.pkl");
    // A pickle that calls os.system("id").
    let pickle = b"cposix\nsystem\n(S'id'\ntR.".to_vec();
    let message = test.upload(&test.admin, &path, pickle).await.error(400, "INVALID_PARAMETER_VALUE");
    assert!(message.contains("refused by scan:"), "{message}");
    test.get(&test.admin, &format!("{PROXY}/{path}")).await.error(404, "RESOURCE_DOES_NOT_EXIST");
    let ledger = test.ledger().await;
    assert!(
        ledger
            .iter()
            .any(|event| event["act"] == "artifact-refused" && event["rule"].as_str().unwrap().starts_with("scan:"))
    );
}

#[tokio::test]
async fn uploads_are_bounded() {
    let test = TestApp::new().await;
    let experiment = test.experiment(&test.admin, "x").await;
    let run = test.run(&test.admin, &experiment).await;
    let path = format!("{experiment}/{run}/artifacts/large");
    let streamed =
        Body::from_stream(futures::stream::iter((0..20).map(|_| Ok::<_, std::io::Error>(vec![0_u8; 1 << 16]))));
    let message = test.upload(&test.admin, &path, streamed).await.error(400, "INVALID_PARAMETER_VALUE");
    assert!(message.contains("artifact.size"), "{message}");
    let broken = futures::stream::iter([Ok(vec![1_u8; 10]), Err(std::io::Error::other("gone"))]);
    test.upload(&test.admin, &path, Body::from_stream(broken)).await.error(400, "INVALID_PARAMETER_VALUE");
    test.get(&test.admin, &format!("{PROXY}/{path}")).await.error(404, "RESOURCE_DOES_NOT_EXIST");
}

#[tokio::test]
async fn a_changed_byte_is_refused_by_name() {
    let test = TestApp::new().await;
    let experiment = test.experiment(&test.admin, "x").await;
    let run = test.run(&test.admin, &experiment).await;
    let path = format!("{experiment}/{run}/artifacts/x");
    test.upload(&test.admin, &path, vec![7_u8; 5000]).await.ok();
    let mut changed = 0;
    let mut pending = vec![test.folder().join("vault")];
    while let Some(path) = pending.pop() {
        if path.is_dir() {
            pending.extend(std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        } else if path.metadata().unwrap().len() > 5000 {
            let mut bytes = std::fs::read(&path).unwrap();
            let middle = bytes.len() - 2000;
            bytes[middle] ^= 1;
            std::fs::write(&path, bytes).unwrap();
            changed += 1;
        }
    }
    assert_eq!(changed, 1);
    let answer = test.get(&test.admin, &format!("{PROXY}/{path}")).await;
    let message = answer.error(403, "PERMISSION_DENIED");
    assert!(message.contains("vault.authentication"), "{message}");
}

#[tokio::test]
async fn a_range_of_a_file_is_given() {
    let test = TestApp::new().await;
    let experiment = test.experiment(&test.admin, "x").await;
    let run = test.run(&test.admin, &experiment).await;
    let path = format!("{experiment}/{run}/artifacts/x");
    let content: Vec<u8> = (0..400_000_u32).map(|n| (n % 251) as u8).collect();
    test.upload(&test.admin, &path, content.clone()).await.ok();
    test.upload(&test.admin, &format!("{path}-empty"), "").await.ok();
    let uri = format!("{PROXY}/{path}");
    let whole = test.get(&test.admin, &uri).await;
    assert_eq!((whole.status.as_u16(), &whole.headers["accept-ranges"]), (200, &"bytes".parse().unwrap()));
    let etag = whole.headers["etag"].to_str().unwrap().to_owned();
    assert_eq!(etag, format!("\"{}\"", sealyard_core::Digest::of(&content).to_hex()));
    for (range, start, end) in [
        ("bytes=0-0", 0, 1),
        ("bytes=65530-65549", 65_530, 65_550),
        ("bytes=399990-", 399_990, 400_000),
        ("bytes=-10", 399_990, 400_000),
        ("bytes=-999999999", 0, 400_000),
        ("bytes=100-99999999999999999999", 100, 400_000),
        ("bytes=0-", 0, 400_000),
    ] {
        let found = test.call_with(&test.admin, Method::GET, &uri, &[("range", range)]).await;
        assert_eq!(found.status, 206, "{range}");
        assert_eq!(found.headers["content-range"], format!("bytes {start}-{}/400000", end - 1), "{range}");
        assert_eq!(found.headers["content-length"], (end - start).to_string(), "{range}");
        assert_eq!(found.bytes.unwrap(), content[start..end], "{range}");
    }
    for range in ["bytes=400000-", "bytes=-0", "bytes=99999999999999999999-"] {
        let found = test.call_with(&test.admin, Method::GET, &uri, &[("range", range)]).await;
        assert_eq!(found.headers["content-range"], "bytes */400000", "{range}");
        found.error(416, "INVALID_PARAMETER_VALUE");
    }
    for headers in
        [&[("range", "bytes=0-1,5-6")][..], &[("range", "x")], &[("range", "bytes=0-1"), ("if-range", &etag)]]
    {
        let found = test.call_with(&test.admin, Method::GET, &uri, headers).await;
        assert_eq!((found.status.as_u16(), found.bytes.unwrap().len()), (200, 400_000), "{headers:?}");
    }
    let empty = test.call_with(&test.admin, Method::GET, &format!("{uri}-empty"), &[("range", "bytes=0-")]).await;
    empty.error(416, "INVALID_PARAMETER_VALUE");
    let head = test.call(&test.admin, Method::HEAD, &uri, Body::empty()).await;
    assert_eq!((head.status.as_u16(), head.bytes.unwrap().len()), (200, 0));
    assert_eq!(
        (&head.headers["content-length"], head.headers["etag"].to_str().unwrap()),
        (&"400000".parse().unwrap(), &*etag)
    );
}
