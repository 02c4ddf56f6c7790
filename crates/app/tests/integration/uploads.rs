use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::stream;
use sealyard_app::{AppError, Upload};
use sealyard_core::Digest;
use sealyard_ledger::{Act, Outcome};
use sealyard_store::model::{ArtifactOwner, RunUpdate};

use crate::harness::{TestApp, is_conflict, path, read, refused_by};
use crate::samples;

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_encrypted_hashed_scanned_and_told_of() {
    let test = TestApp::new().await;
    let experiment = test.experiment("e").await;
    let owner = test.run(&experiment).await;
    let content: Vec<u8> = (0..1_000_000_u32).flat_map(|number| number.to_le_bytes()).collect();
    let artifact = test.put(&experiment, &owner, "data/big.bin", &content).await.unwrap();
    assert_eq!((artifact.digest, artifact.size), (Digest::of(&content), content.len() as u64));
    assert_eq!(artifact.created_by, "admin");
    let stored = std::fs::read(test.object_file(&artifact.object)).unwrap();
    assert!(!stored.windows(64).any(|window| window == &content[4096..4160]), "plain bytes lie on the disk");
    assert_eq!(test.objects(), (1, 0));
    let (bytes, error) = read(test.get(&experiment, &owner, "data/big.bin").await.unwrap()).await;
    assert!(error.is_none() && bytes == content);
    let told = test
        .count(Outcome::Done, |act| matches!(act, Act::ArtifactUploaded { digest, .. } if *digest == artifact.digest));
    assert_eq!(told.await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_file_is_a_file() {
    let test = TestApp::new().await;
    let experiment = test.experiment("e").await;
    let owner = test.run(&experiment).await;
    assert_eq!(test.put(&experiment, &owner, "empty.txt", b"").await.unwrap().size, 0);
    let (bytes, error) = read(test.get(&experiment, &owner, "empty.txt").await.unwrap()).await;
    assert!(error.is_none() && bytes.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unsafe_file_never_becomes_visible() {
    let test = TestApp::new().await;
    let experiment = test.experiment("e").await;
    let owner = test.run(&experiment).await;
    let error = test.put(&experiment, &owner, "model.joblib", &samples::malicious()).await.unwrap_err();
    assert!(error.rules()[0].starts_with("scan:pickle-dangerous-global"), "{error}");
    assert_eq!(test.objects(), (0, 0));
    assert!(matches!(test.get(&experiment, &owner, "model.joblib").await, Err(AppError::NotFound { .. })));
    let told =
        |act: &Act| matches!(act, Act::ArtifactRefused { rule, digest: Some(_), .. } if rule.starts_with("scan:"));
    assert_eq!(test.count(Outcome::Refused, told).await, 1);
    assert_eq!(test.count(Outcome::Done, |act| matches!(act, Act::ArtifactUploaded { .. })).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unsafe_file_does_not_replace_a_safe_one() {
    let test = TestApp::new().await;
    let experiment = test.experiment("e").await;
    let owner = test.run(&experiment).await;
    test.put(&experiment, &owner, "model.pkl", b"").await.unwrap();
    assert!(test.put(&experiment, &owner, "model.pkl", &samples::malicious()).await.is_err());
    let (bytes, _) = read(test.get(&experiment, &owner, "model.pkl").await.unwrap()).await;
    assert!(bytes.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_breaks_off_leaves_nothing() {
    let test = TestApp::new().await;
    let experiment = test.experiment("e").await;
    let owner = test.run(&experiment).await;
    let may = test.may_edit(&experiment).await;
    let upload = Upload { owner: owner.clone(), path: path("a"), limit: 1 << 20 };
    let pieces = vec![Ok(Bytes::from(vec![b'a'; 300_000])), Err(io::Error::other("the connection was reset"))];
    let result = test.app.upload(&test.admin, &may, upload, stream::iter(pieces)).await;
    assert!(matches!(result, Err(AppError::Invalid(_))), "{result:?}");
    assert_eq!(test.objects(), (0, 0));
    assert!(test.get(&experiment, &owner, "a").await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_goes_away_leaves_nothing() {
    let test = TestApp::new().await;
    let experiment = test.experiment("e").await;
    let owner = test.run(&experiment).await;
    let may = test.may_edit(&experiment).await;
    let upload = Upload { owner, path: path("a"), limit: 1 << 20 };
    let begun = stream::iter([Ok::<_, Infallible>(Bytes::from(vec![b'a'; 300_000]))]);
    let body = futures::StreamExt::chain(begun, stream::pending());
    let (app, admin) = (Arc::clone(&test.app), test.admin.clone());
    let request = tokio::spawn(async move { app.upload(&admin, &may, upload, body).await.map(|_| ()) });
    while test.objects().1 == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    request.abort();
    assert!(request.await.unwrap_err().is_cancelled());
    for _ in 0..200 {
        if test.objects() == (0, 0) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("something is left: {:?}", test.objects());
}

/// Each of them would hold a thread for as long as its client likes, and there are few of these for everything.
#[test]
fn slow_clients_do_not_use_the_threads_up() {
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = runtime.worker_threads(2).max_blocking_threads(8).enable_all().build().unwrap();
    runtime.block_on(async {
        let test = TestApp::new().await;
        let experiment = test.experiment("e").await;
        let owner = test.run(&experiment).await;
        test.put(&experiment, &owner, "large", &vec![b'x'; 8 << 20]).await.unwrap();
        let mut requests = tokio::task::JoinSet::new();
        let mut downloads = Vec::new();
        for number in 0..20 {
            let may = test.may_edit(&experiment).await;
            let upload = Upload { owner: owner.clone(), path: path(&format!("slow/{number}")), limit: 1 << 20 };
            let (app, admin) = (Arc::clone(&test.app), test.admin.clone());
            let body = stream::pending::<Result<Bytes, Infallible>>();
            requests.spawn(async move { app.upload(&admin, &may, upload, body).await.map(|_| ()) });
            let begun = tokio::time::timeout(Duration::from_secs(20), test.get(&experiment, &owner, "large")).await;
            downloads.push(begun.expect("slow clients keep everybody else out"));
        }
        let quick = test.put(&experiment, &owner, "quick", b"content");
        let quick = tokio::time::timeout(Duration::from_secs(20), quick).await;
        assert!(quick.is_ok_and(|done| done.is_ok()), "slow clients keep everybody else out");
        requests.shutdown().await;
    });
    runtime.shutdown_timeout(Duration::from_secs(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_limit_holds_and_is_told() {
    let test = TestApp::new().await;
    let experiment = test.experiment("e").await;
    let owner = test.run(&experiment).await;
    let may = test.may_edit(&experiment).await;
    for (size, fits) in [(1000, true), (1001, false)] {
        let upload = Upload { owner: owner.clone(), path: path("a"), limit: 1000 };
        let pieces: Vec<_> =
            vec![b'a'; size].chunks(7).map(|piece| Ok::<_, Infallible>(Bytes::copy_from_slice(piece))).collect();
        let result = test.app.upload(&test.admin, &may, upload, stream::iter(pieces)).await;
        if fits {
            assert_eq!(result.unwrap().size, 1000);
        } else {
            refused_by(result, "artifact.size");
        }
    }
    assert_eq!(test.objects(), (1, 0));
    let told = |act: &Act| matches!(act, Act::ArtifactRefused { rule, .. } if rule == "artifact.size");
    assert_eq!(test.count(Outcome::Refused, told).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proof_for_one_experiment_is_none_for_another() {
    let test = TestApp::new().await;
    let (mine, theirs) = (test.experiment("mine").await, test.experiment("theirs").await);
    for owner in [test.run(&theirs).await, test.logged_model(&theirs).await] {
        test.put(&theirs, &owner, "a", b"content").await.unwrap();
        refused_by(test.put(&mine, &owner, "a", b"other").await, "authorization");
        refused_by(test.get(&mine, &owner, "a").await, "authorization");
        refused_by(test.delete(&mine, &owner, "a").await, "authorization");
        let may = test.may_read(&mine).await;
        refused_by(test.app.list_artifacts(&may, &owner, None).await, "authorization");
        let (bytes, _) = read(test.get(&theirs, &owner, "a").await.unwrap()).await;
        assert_eq!(bytes, b"content");
    }
    assert_eq!(test.count(Outcome::Refused, |act| matches!(act, Act::AccessDenied { .. })).await, 8);
    let nobody = ArtifactOwner::Run("0".repeat(32));
    refused_by(test.put(&mine, &nobody, "a", b"content").await, "authorization");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_replaced_or_deleted_is_gone_and_what_is_used_is_not() {
    let test = TestApp::new().await;
    let experiment = test.experiment("e").await;
    let owner = test.run(&experiment).await;
    let first = test.put(&experiment, &owner, "d/a", b"first").await.unwrap();
    let second = test.put(&experiment, &owner, "d/a", b"second").await.unwrap();
    assert!(!test.object_file(&first.object).exists());
    assert!(test.object_file(&second.object).exists());
    test.put(&experiment, &owner, "d/b", b"third").await.unwrap();
    test.delete(&experiment, &owner, "d").await.unwrap();
    assert_eq!(test.objects(), (0, 0));
    assert!(matches!(test.delete(&experiment, &owner, "d").await, Err(AppError::NotFound { .. })));
    assert_eq!(test.count(Outcome::Done, |act| matches!(act, Act::ArtifactDeleted { .. })).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_is_not_written_leaves_no_object() {
    let test = TestApp::new().await;
    let experiment = test.experiment("e").await;
    let owner = test.run(&experiment).await;
    test.put(&experiment, &owner, "d/a", b"content").await.unwrap();
    is_conflict(test.put(&experiment, &owner, "d", b"a file where a directory is").await);
    assert_eq!(test.objects(), (1, 0));
    let ArtifactOwner::Run(id) = owner.clone() else { unreachable!() };
    let bin = RunUpdate { lifecycle: Some(sealyard_store::model::Lifecycle::Deleted), ..RunUpdate::default() };
    test.write(move |tx| tx.update_run(&id, &bin)).await;
    is_conflict(test.put(&experiment, &owner, "e", b"in the bin").await);
    assert_eq!(test.objects(), (1, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn listings_show_one_level() {
    let test = TestApp::new().await;
    let experiment = test.experiment("e").await;
    let owner = test.run(&experiment).await;
    for at in ["model/MLmodel", "model/data/x", "model-2/x", "a"] {
        test.put(&experiment, &owner, at, b"content").await.unwrap();
    }
    let may = test.may_read(&experiment).await;
    let list = async |below: Option<&str>| -> Vec<(String, Option<u64>)> {
        let below = below.map(path);
        let found = test.app.list_artifacts(&may, &owner, below.as_ref()).await.unwrap();
        found.into_iter().map(|line| (line.path, line.size)).collect()
    };
    let line = |path: &str, size| (path.to_owned(), size);
    assert_eq!(list(None).await, [line("a", Some(7)), line("model", None), line("model-2", None)]);
    assert_eq!(list(Some("model")).await, [line("model/MLmodel", Some(7)), line("model/data", None)]);
    assert!(list(Some("mod")).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn more_files_than_anybody_needs_are_neither_listed_nor_deleted_at_once() {
    let test = TestApp::new().await;
    let experiment = test.experiment("e").await;
    let owner = test.run(&experiment).await;
    test.put(&experiment, &owner, "a", b"content").await.unwrap();
    test.sql(
        "WITH RECURSIVE number (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < 100000)
         INSERT INTO artifacts SELECT owner_kind, owner, 'many/' || n, object, digest, size, verdict, created, created_by, seal
         FROM artifacts, number",
    );
    let may = test.may_read(&experiment).await;
    assert!(matches!(test.app.list_artifacts(&may, &owner, None).await, Err(AppError::Invalid(_))));
    assert_eq!(test.app.list_artifacts(&may, &owner, Some(&path("a"))).await.unwrap(), []);
    test.sql(
        "INSERT INTO artifacts SELECT owner_kind, owner, 'many/x', object, digest, size, verdict, created, created_by, seal
         FROM artifacts WHERE path = 'a'",
    );
    let result = test.delete(&experiment, &owner, "many").await;
    assert!(matches!(result, Err(AppError::Invalid(_))), "{result:?}");
}

/// The client hangs up when everything is there; object, row, event and the removal of what was replaced go together.
#[tokio::test(flavor = "multi_thread")]
async fn an_upload_or_a_deletion_that_was_begun_goes_to_its_end() {
    let test = TestApp::new().await;
    let experiment = test.experiment("e").await;
    let owner = test.run(&experiment).await;
    test.put(&experiment, &owner, "a", b"first").await.unwrap();
    // Hang up right when the row is about to be written.
    for round in 0..20 {
        let may = test.may_edit(&experiment).await;
        let upload = Upload { owner: owner.clone(), path: path("a"), limit: 100 };
        let (app, admin) = (Arc::clone(&test.app), test.admin.clone());
        let body = stream::iter([Ok::<_, Infallible>(Bytes::from(format!("round {round}")))]);
        let request = tokio::spawn(async move { app.upload(&admin, &may, upload, body).await.map(|_| ()) });
        let handle = request.abort_handle();
        test.store.before_next_write(move |_| handle.abort());
        let _ = request.await;
    }
    let begun = std::time::Instant::now();
    while test.objects() != (1, 0) {
        assert!(begun.elapsed().as_secs() < 10, "objects that nobody needs are left: {:?}", test.objects());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let (bytes, _) = read(test.get(&experiment, &owner, "a").await.unwrap()).await;
    assert_eq!(bytes, b"round 19");
}

#[tokio::test(flavor = "multi_thread")]
async fn objects_that_a_killed_server_left_without_a_row_go() {
    let test = TestApp::new().await;
    let experiment = test.experiment("e").await;
    let owner = test.run(&experiment).await;
    test.put(&experiment, &owner, "kept.txt", b"kept").await.unwrap();
    let left = test.vault.begin().unwrap().seal().unwrap();
    test.vault.commit(&left).unwrap();
    assert_eq!(test.objects(), (2, 0));
    test.app.remove_leftovers().await.unwrap();
    assert_eq!(test.objects(), (1, 0));
    let (bytes, error) = read(test.get(&experiment, &owner, "kept.txt").await.unwrap()).await;
    assert!(error.is_none() && bytes == b"kept");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_whose_row_is_being_written_is_no_leftover() {
    let test = TestApp::new().await;
    let experiment = test.experiment("e").await;
    let owner = test.run(&experiment).await;
    let (app, runtime) = (Arc::clone(&test.app), tokio::runtime::Handle::current());
    let (tell, sweeping) = tokio::sync::oneshot::channel();
    test.store.before_next_write(move |_| {
        let _ = tell.send(runtime.spawn(async move { app.remove_leftovers().await }));
        std::thread::sleep(Duration::from_millis(300));
    });
    test.put(&experiment, &owner, "new.txt", b"new").await.unwrap();
    assert!(test.store.has_meddled());
    sweeping.await.unwrap().await.unwrap().unwrap();
    let (bytes, error) = read(test.get(&experiment, &owner, "new.txt").await.unwrap()).await;
    assert!(error.is_none() && bytes == b"new");
}
