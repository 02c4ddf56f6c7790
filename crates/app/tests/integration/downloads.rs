use sealyard_app::AppError;
use sealyard_core::Verdict;
use sealyard_identity::Read;
use sealyard_ledger::{Act, Outcome};

use crate::harness::{TestApp, model, path, read, refused_by};
use crate::samples;

fn unreadable_by(rule: &'static str) -> impl Fn(&Act) -> bool {
    move |act| matches!(act, Act::ArtifactUnreadable { rule: found, .. } if found == rule)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_byte_is_noticed() {
    let test = TestApp::new().await;
    let experiment = test.experiment("e").await;
    let owner = test.run(&experiment).await;
    let artifact = test.put(&experiment, &owner, "a", b"some content").await.unwrap();
    test.change_a_byte(&artifact.object);
    refused_by(test.get(&experiment, &owner, "a").await, "vault.authentication");
    assert_eq!(test.count(Outcome::Refused, unreadable_by("vault.authentication")).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_byte_changed_far_inside_ends_the_stream() {
    let test = TestApp::new().await;
    let experiment = test.experiment("e").await;
    let owner = test.run(&experiment).await;
    let content = vec![b'x'; 2_000_000];
    let artifact = test.put(&experiment, &owner, "a", &content).await.unwrap();
    let file = test.object_file(&artifact.object);
    let mut bytes = std::fs::read(&file).unwrap();
    bytes[1_000_000] ^= 1;
    std::fs::write(&file, bytes).unwrap();
    let (bytes, error) = read(test.get(&experiment, &owner, "a").await.unwrap()).await;
    assert!(error.is_some() && bytes.len() < 1_000_000);
    assert_eq!(test.count(Outcome::Refused, unreadable_by("vault.authentication")).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn exchanged_content_never_comes_whole() {
    let test = TestApp::new().await;
    let experiment = test.experiment("e").await;
    let owner = test.run(&experiment).await;
    let content = vec![b'x'; 2_000_000];
    let artifact = test.put(&experiment, &owner, "a", &content).await.unwrap();
    let mut other = content.clone();
    other[7] = b'y';
    test.exchange(&artifact.object, &other);
    let download = test.get(&experiment, &owner, "a").await.unwrap();
    assert_eq!(download.size, 2_000_000);
    let (bytes, error) = read(download).await;
    assert!(error.unwrap().to_string().contains("artifact.digest"));
    assert!(bytes.len() < content.len());
    assert_eq!(test.count(Outcome::Refused, unreadable_by("artifact.digest")).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn exchanged_content_of_one_piece_or_another_size_is_not_begun() {
    let test = TestApp::new().await;
    let experiment = test.experiment("e").await;
    let owner = test.run(&experiment).await;
    let artifact = test.put(&experiment, &owner, "a", b"small").await.unwrap();
    for other in [b"SMALL".as_slice(), b"smaller", b""] {
        test.exchange(&artifact.object, other);
        refused_by(test.get(&experiment, &owner, "a").await, "artifact.digest");
    }
    let content = vec![b'x'; 1_000_000];
    let artifact = test.put(&experiment, &owner, "b", &content).await.unwrap();
    let longer = vec![b'x'; 1_000_001];
    test.exchange(&artifact.object, &longer);
    refused_by(test.get(&experiment, &owner, "b").await, "artifact.digest");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_object_is_told_and_a_replaced_one_is_followed() {
    let test = TestApp::new().await;
    let experiment = test.experiment("e").await;
    let owner = test.run(&experiment).await;
    let artifact = test.put(&experiment, &owner, "a", b"content").await.unwrap();
    std::fs::remove_file(test.object_file(&artifact.object)).unwrap();
    assert!(matches!(test.get(&experiment, &owner, "a").await, Err(AppError::Vault(_))));
    assert!(test.count(Outcome::Refused, unreadable_by("vault.missing")).await > 0);
}

/// Rows say unsafe when a newer scanner has found more than the one on arrival.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_known_to_be_unsafe_is_not_given_out() {
    let test = TestApp::new().await;
    let experiment = test.experiment("e").await;
    let owner = test.run(&experiment).await;
    let mut artifact = test.put(&experiment, &owner, "a", b"content").await.unwrap();
    artifact.verdict = Verdict::Unsafe;
    test.write(move |tx| tx.put_artifact(&artifact)).await;
    refused_by(test.get(&experiment, &owner, "a").await, "artifact.verdict");
    assert_eq!(test.count(Outcome::Refused, unreadable_by("artifact.verdict")).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn files_of_a_version_come_as_they_are_for_readers_that_check() {
    let test = TestApp::new().await;
    let (experiment, owner, _) = test.good_version().await;
    let may = test.app.authorize(&test.admin, Read, crate::harness::entry("m")).await.unwrap();
    let manifest = test.app.version_manifest(&may, 1).await.unwrap();
    assert_eq!(manifest.files.digest(), manifest.digest);
    let (bytes, error) = read(test.app.version_file(&may, 1, &path("weights.txt")).await.unwrap()).await;
    assert!(error.is_none() && bytes == samples::WEIGHTS);
    assert!(matches!(test.app.version_file(&may, 1, &path("other")).await, Err(AppError::NotFound { .. })));

    let (_, files) = test.write(|tx| tx.model_version_files("m", 1)).await;
    let object = files.iter().find(|file| file.path == path("weights.txt")).unwrap().object.clone();
    test.exchange(&object, b"9.5 0.25 1.0 2.0\n");
    let download = test.app.version_file(&may, 1, &path("weights.txt")).await.unwrap();
    assert_eq!(Some(download.digest), manifest.files.get(&path("weights.txt")).map(|entry| entry.digest));
    let size = download.size;
    let (bytes, error) = read(download).await;
    assert!(error.is_none() && bytes == b"9.5 0.25 1.0 2.0\n" && size == bytes.len() as u64);
    // A stock client does not check, so it does not get them.
    refused_by(test.get(&experiment, &owner, "weights.txt").await, "artifact.digest");

    test.change_a_byte(&object);
    refused_by(test.app.version_file(&may, 1, &path("weights.txt")).await, "vault.authentication");
    assert_eq!(test.count(Outcome::Refused, unreadable_by("vault.authentication")).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unsafe_version_is_not_given_out() {
    let test = TestApp::new().await;
    test.good_version().await;
    test.sql_as_the_server("UPDATE model_versions SET verdict = 'unsafe'").await;
    let may = test.app.authorize(&test.admin, Read, crate::harness::entry("m")).await.unwrap();
    refused_by(test.app.version_file(&may, 1, &path("weights.txt")).await, "artifact.verdict");
    refused_by(test.app.set_alias(&test.admin, model("m"), "any".into(), 1).await, "artifact.verdict");
}
