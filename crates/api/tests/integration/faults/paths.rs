use http::Method;
use serde_json::json;

use super::{SECRET, Target, all_routes, raw};
use crate::test_app::TestApp;

/// Spellings of a step out of a folder, of a path from the root, and of what hides one.
const SPELLINGS: &[&str] = &[
    "..",
    "../x",
    "../../../../../../etc/passwd",
    "a/../../x",
    "a/..",
    ".",
    "./x",
    "a/./b",
    "%2e%2e/x",
    "%2E%2E/x",
    ".%2e/x",
    "%2e%2e%2fx",
    "..%2fx",
    "a%2f..%2f..%2fx",
    "%252e%252e/x",
    "%252e%252e%252fx",
    "..%252fx",
    "%25252e%25252e%25252fx",
    "a%252fb",
    "x%00",
    "%00",
    "..%00/x",
    "x%2500",
    "..%5cx",
    "..%5c..%5cx",
    "a%5cb",
    "%5cetc%5cpasswd",
    "C:%5cx",
    "/etc/passwd",
    "%2fetc%2fpasswd",
    "//etc/passwd",
    "a//b",
    "%c0%ae%c0%ae/x",
    "%e0%80%ae%e0%80%ae/x",
    "%ff",
    "x%0d%0ay",
    "x%0a",
    "%zz",
    "%",
    "%2",
    "..%3bx/..%2fy",
    "a%2f%2e%2e%2f%2e%2e",
];

#[tokio::test]
async fn fault_01_path_traversal() {
    let target = Target::new().await;
    let (test, admin) = (&target.test, &target.test.admin);
    let root = format!("{}/{}/artifacts", target.experiment, target.run);
    let mut asked = 0;
    // Whatever has a path at its end takes it as a path: the proxy, its multipart and presigned routes, files of versions.
    for (method, endpoint) in all_routes().iter().filter(|(_, endpoint)| endpoint.path.contains("{*")) {
        let start = target.fill(endpoint.path.split("/{*").next().unwrap(), None);
        for spelling in SPELLINGS {
            for path in [
                (*spelling).to_owned(),
                format!("{root}/{spelling}"),
                format!("{}/models/{}/artifacts/{spelling}", target.experiment, target.model),
            ] {
                let Some(answer) = raw(test, admin, method, &format!("{start}/{path}"), "{}").await else { continue };
                let status = answer.status.as_u16();
                assert!((400..500).contains(&status), "{method} {start}/{path}: {status}");
                let bytes = answer.bytes.unwrap();
                assert!(!bytes.windows(8).any(|window| window == b"root:x:0"), "{path}");
                asked += 1;
            }
        }
    }
    assert!(asked > 500, "{asked}");
    // Those that take the path as a parameter. The secret is in no answer, and no folder but the one that was asked for.
    let encoded: Vec<&str> = SPELLINGS
        .iter()
        .filter(|spelling| !spelling.ends_with('%') && !spelling.contains("%zz") && **spelling != "%2")
        .copied()
        .collect();
    for (method, endpoint) in all_routes().iter().filter(|(method, _)| *method == Method::GET) {
        let takes_path =
            ["/artifacts", "/artifacts/list", "/get-artifact", "/artifacts/directories", "/artifacts/files"];
        if !takes_path.iter().any(|end| endpoint.path.ends_with(end)) {
            continue;
        }
        let start = target.fill(&endpoint.path, None);
        for spelling in &encoded {
            for path in [(*spelling).to_owned(), format!("{root}/{spelling}").replace('/', "%2F")] {
                let names = format!("run_id={}&run_uuid={}&name=target&version=1", target.run, target.run);
                let query = format!(
                    "{start}?path={path}&artifact_path={path}&artifact_file_path={path}&artifact_directory_path={path}&{names}"
                );
                let Some(answer) = raw(test, admin, method, &query, "").await else { continue };
                let status = answer.status.as_u16();
                let text = String::from_utf8_lossy(&answer.bytes.unwrap()).into_owned();
                assert!(status < 500 && !text.contains("root:x:0"), "{query}: {status}");
                assert!(status >= 400 || text == "{}" || !text.contains(SECRET), "{query}: {text}");
            }
        }
    }
    target.is_untouched().await;
    let ledger = test.ledger().await;
    assert!(TestApp::has(&ledger, &json!({"act": "artifact-refused", "rule": "artifact.path", "outcome": "refused"})));
}

/// Sources of versions: what would make the server read a file of its own, or ask somebody else for one.
const ELSEWHERE: &[&str] = &[
    "file:///etc/passwd",
    "file:/etc",
    "file://localhost/etc",
    "FILE:///etc/passwd",
    "/etc/passwd",
    "/etc",
    "etc/passwd",
    "../../etc",
    "./x",
    "s3://bucket/x",
    "gs://b/x",
    "http://169.254.169.254/latest/meta-data",
    "https://127.0.0.1/x",
    "ftp://h/x",
    "dbfs:/x",
    "data:,x",
    "local:/etc",
    "mlflow-artifacts://evil.example/1/r/artifacts/x",
    "mlflow-artifacts:/..",
    "mlflow-artifacts:/1/../../etc",
    "mlflow-artifacts:etc/passwd",
    "runs:/",
    "models:/",
    "models:/m-1/../../x",
    "models:/absent/1",
    "\\\\evil.example\\share",
    "file:///etc/passwd#x",
    "file:///etc/passwd?x",
    "mlflow-artifacts:/%2e%2e/x",
    "runs:/a/..%2f..%2fx",
    "//etc/passwd",
    "x://etc",
    "",
];

#[tokio::test]
async fn fault_02_local_file_read_through_a_source() {
    let target = Target::new().await;
    let (test, admin) = (&target.test, &target.test.admin);
    for source in ELSEWHERE {
        // A tag that says that it is a prompt changes nothing about where files come from.
        for tags in [
            json!([]),
            json!([{"key": "mlflow.prompt.is_prompt", "value": "true"}]),
            json!([{"key": "mlflow.prompt.is_prompt", "value": "true"}, {"key": "mlflow.prompt.text", "value": "x"}]),
        ] {
            let new = json!({"name": "target", "source": source, "tags": tags});
            let answer = test.mlflow(admin, "model-versions/create", new).await;
            if answer.status.is_success() {
                // A prompt's version is made of its text: it has no file, and nothing to give out.
                let version = answer.json()["model_version"]["version"].as_str().unwrap().to_owned();
                assert_ne!(tags, json!([]), "{source}");
                for file in ["passwd", "etc/passwd", "x", "known.txt"] {
                    let path = format!("/api/sealyard/v1/models/target/versions/{version}/files/{file}");
                    assert!(!test.get(admin, &path).await.status.is_success(), "{source} {file}");
                }
                let uri =
                    test.ask(admin, &format!("model-versions/get-download-uri?name=target&version={version}")).await;
                let uri = uri.json()["artifact_uri"].as_str().unwrap_or_default().to_owned();
                assert!(!uri.contains("etc") && !uri.starts_with("file:") && !uri.starts_with('/'), "{source}: {uri}");
            } else {
                assert_eq!(answer.status.as_u16(), 400, "{source}: {}", answer.json());
            }
        }
        let located = json!({"name": format!("at {source}"), "artifact_location": source});
        let answer = test.mlflow(admin, "experiments/create", located).await;
        if answer.status.is_success() {
            let id = answer.json()["experiment_id"].as_str().unwrap().to_owned();
            let found = test.ask(admin, &format!("experiments/get?experiment_id={id}")).await.ok();
            let place = found["experiment"]["artifact_location"].as_str().unwrap().to_owned();
            assert!(place.starts_with("mlflow-artifacts:/") && !place.contains(".."), "{source}: {place}");
        }
    }
}

#[tokio::test]
async fn fault_03_a_source_of_another_user() {
    let target = Target::new().await;
    let test = &target.test;
    let eve = test.user("eve", &[("registered-model:eves", "MANAGE"), ("experiment:77", "MANAGE")]).await;
    test.mlflow(&test.admin, "registered-models/create", json!({"name": "eves"})).await.ok();
    let (experiment, run, model) = (&target.experiment, &target.run, &target.model);
    let sources = [
        format!("runs:/{run}/model"),
        format!("runs:/{run}"),
        format!("models:/{model}"),
        format!("mlflow-artifacts:/{experiment}/{run}/artifacts/model"),
        format!("mlflow-artifacts:/{experiment}/models/{model}/artifacts"),
        format!("mlflow-artifacts:/77/{run}/artifacts/model"),
        format!("mlflow-artifacts:///{experiment}/{run}/artifacts/model"),
    ];
    for source in &sources {
        let new = json!({"name": "eves", "source": source, "run_id": run, "model_id": model});
        let answer = test.mlflow(&eve, "model-versions/create", new).await;
        assert!((400..500).contains(&answer.status.as_u16()), "{source}: {}", answer.json());
    }
    // Nor may a version of one's own say that it came from there.
    let own = test.user("owner", &[("experiment:*", "NO_PERMISSIONS"), ("registered-model:*", "NO_PERMISSIONS")]).await;
    let search = test.get(&own, "/api/2.0/mlflow/model-versions/search").await.ok();
    assert!(search["model_versions"].as_array().is_none_or(Vec::is_empty), "{search}");
}

#[tokio::test]
async fn fault_04_links_and_archives_that_leave() {
    let target = Target::new().await;
    let (test, admin) = (&target.test, &target.test.admin);
    let before = files(test);
    // A tar whose members are a link out and a file behind it: it is bytes to this server, and never unpacked.
    let mut header = [0_u8; 1024];
    for (at, name) in [(0, &b"../../../../escaped"[..]), (512, b"link/escaped")] {
        header[at..at + name.len()].copy_from_slice(name);
        header[at + 257..at + 262].copy_from_slice(b"ustar");
    }
    header[156] = b'2';
    header[157..161].copy_from_slice(b"/etc");
    for name in ["a.tar", "a.zip", "model.tar.gz"] {
        let _ = test
            .upload(admin, &format!("{}/{}/artifacts/{name}", target.experiment, target.run), header.to_vec())
            .await;
    }
    let after = files(test);
    let new: Vec<_> =
        after.iter().filter(|path| !before.contains(path) && !path.starts_with(test.folder().join("vault"))).collect();
    assert!(new.iter().all(|path| path.to_string_lossy().contains("catalog.db")), "{new:?}");
    assert!(!test.folder().join("../escaped").exists() && !std::path::Path::new("/etc/escaped").exists());
    // Where a path's part is a file, nothing can be put behind it.
    let behind = format!("{}/{}/artifacts/model/known.txt/x", target.experiment, target.run);
    assert!(!test.upload(admin, &behind, "x").await.status.is_success());
    target.is_untouched().await;
}

fn files(test: &TestApp) -> Vec<std::path::PathBuf> {
    let (mut found, mut folders) = (Vec::new(), vec![test.folder().to_path_buf()]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { found.push(path) }
        }
    }
    found
}
