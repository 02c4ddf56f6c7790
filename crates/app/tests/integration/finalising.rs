use sealyard_core::Verdict;
use sealyard_evidence::predicate::Predicate;
use sealyard_evidence::{Bundle, PublicKey, TrustedKeys, verify};
use sealyard_ledger::{Act, Outcome};
use sealyard_store::model::LoggedModelStatus;

use crate::harness::{TestApp, id, is_conflict, refused_by};
use crate::samples;

#[tokio::test(flavor = "multi_thread")]
async fn the_folder_is_scanned_and_the_scan_is_signed() {
    let test = TestApp::new().await;
    let experiment = test.experiment("e").await;
    let owner = test.good_model(&experiment).await;
    let wanted = id(&owner);
    let (found, evidence) = test
        .write(move |tx| {
            let found = tx.logged_model(&wanted)?.unwrap();
            let evidence = tx.evidence_for(&found.tree.unwrap())?;
            Ok((found, evidence))
        })
        .await;
    assert_eq!(found.status, LoggedModelStatus::Ready);
    let scanner = std::fs::read_to_string(test.root().join("scanner.pub")).unwrap();
    let mut trust = TrustedKeys::new();
    trust.insert("scanner", PublicKey::from_pem(&scanner).unwrap()).unwrap();
    let [record] = evidence.as_slice() else { panic!("{evidence:?}") };
    let verified = verify(&Bundle::parse(record.bundle.as_bytes()).unwrap(), &trust).unwrap();
    assert!(verified.is_about(&found.tree.unwrap()));
    let Predicate::ScanReport(report) = verified.predicate() else { panic!("no scan report") };
    assert_eq!((report.verdict, report.counts.safe), (Verdict::Safe, 2));
    let told = |act: &Act| matches!(act, Act::ModelFinalised { digest, .. } if Some(*digest) == found.tree);
    assert_eq!(test.count(Outcome::Done, told).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unsafe_folder_of_harmless_files_is_refused() {
    let test = TestApp::new().await;
    let experiment = test.experiment("e").await;
    let owner = test.logged_model(&experiment).await;
    test.put(&experiment, &owner, "MLmodel", samples::MLMODEL_WITH_CODE).await.unwrap();
    test.put(&experiment, &owner, samples::SHADOW, b"import os\n").await.unwrap();
    refused_by(test.finalise(&experiment, &owner).await, "scan:mlmodel-code-path");
    let told = |act: &Act| matches!(act, Act::ArtifactRefused { rule, digest: None, .. } if rule.starts_with("scan:"));
    assert_eq!(test.count(Outcome::Refused, told).await, 1);
    test.registered_model("m").await;
    let source = format!("models:/{}", id(&owner));
    refused_by(test.version_from(&test.admin, "m", &source).await, "version.source");
    let run = test.run(&experiment).await;
    test.put(&experiment, &run, "model/MLmodel", samples::MLMODEL_WITH_CODE).await.unwrap();
    test.put(&experiment, &run, &format!("model/{}", samples::SHADOW), b"import os\n").await.unwrap();
    let source = format!("runs:/{}/model", id(&run));
    refused_by(test.version_from(&test.admin, "m", &source).await, "scan:mlmodel-code-path");
    assert_eq!(test.refused_versions().await, 2);
}

/// A script that starts programs is what people keep with their runs. In a model's folder it would run with the model.
#[tokio::test(flavor = "multi_thread")]
async fn a_script_is_kept_with_a_run_and_refused_in_a_model() {
    let test = TestApp::new().await;
    let experiment = test.experiment("e").await;
    let script = b"import subprocess\nsubprocess.run(['nvidia-smi'])\n";
    let run = test.run(&experiment).await;
    assert_eq!(test.put(&experiment, &run, "train.py", script).await.unwrap().verdict, Verdict::Suspicious);
    let owner = test.logged_model(&experiment).await;
    test.put(&experiment, &owner, "MLmodel", b"flavors: {}\n").await.unwrap();
    test.put(&experiment, &owner, "code/train.py", script).await.unwrap();
    refused_by(test.finalise(&experiment, &owner).await, "scan:python-harmful-call");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_model_without_files_nothing_is_made() {
    let test = TestApp::new().await;
    let experiment = test.experiment("e").await;
    let owner = test.logged_model(&experiment).await;
    let made = test.finalise(&experiment, &owner).await.unwrap();
    assert_eq!((made.status, made.tree), (LoggedModelStatus::Ready, None));
    // It takes no files later, and no version is made of it.
    is_conflict(test.put(&experiment, &owner, "MLmodel", b"flavors: {}\n").await);
    test.registered_model("m").await;
    refused_by(test.version_from(&test.admin, "m", &format!("models:/{}", id(&owner))).await, "model.files");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_comes_while_the_folder_is_scanned_starts_it_again() {
    let test = TestApp::new().await;
    let experiment = test.experiment("e").await;
    let owner = test.logged_model(&experiment).await;
    let mut other = test.put(&experiment, &owner, "MLmodel", samples::MLMODEL_WITH_CODE).await.unwrap();
    other.path = crate::harness::path(samples::SHADOW);
    test.store.before_next_write(move |tx| {
        tx.put_artifact(&other).unwrap();
    });
    is_conflict(test.finalise(&experiment, &owner).await);
    assert!(test.store.has_meddled());
    let wanted = id(&owner);
    let found = test.write(move |tx| tx.logged_model(&wanted)).await.unwrap();
    assert_eq!((found.status, found.tree), (LoggedModelStatus::Pending, None));
    assert_eq!(test.count(Outcome::Done, |act| matches!(act, Act::ModelFinalised { .. })).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_changes_while_a_version_is_made_starts_it_again() {
    let test = TestApp::new().await;
    let experiment = test.experiment("e").await;
    let owner = test.run(&experiment).await;
    let mut other = test.put(&experiment, &owner, "model/MLmodel", samples::MLMODEL_WITH_CODE).await.unwrap();
    other.path = crate::harness::path(&format!("model/{}", samples::SHADOW));
    test.registered_model("m").await;
    test.store.before_next_write(move |tx| {
        tx.put_artifact(&other).unwrap();
    });
    is_conflict(test.version_from(&test.admin, "m", &format!("runs:/{}/model", id(&owner))).await);
    assert!(test.store.has_meddled());
    assert_eq!(test.write(|tx| tx.model_version("m", 1)).await, None);
}

/// The scan must be of the bytes that the tree names, and not of others put there for the scanner.
#[tokio::test(flavor = "multi_thread")]
async fn stored_files_that_are_not_the_uploaded_ones_are_refused() {
    let test = TestApp::new().await;
    let experiment = test.experiment("e").await;
    let owner = test.logged_model(&experiment).await;
    test.put(&experiment, &owner, "MLmodel", samples::MLMODEL).await.unwrap();
    let artifact = test.put(&experiment, &owner, "weights.txt", samples::WEIGHTS).await.unwrap();
    test.exchange(&artifact.object, b"9.5 0.25 1.0\n");
    refused_by(test.finalise(&experiment, &owner).await, "artifact.digest");
    test.change_a_byte(&artifact.object);
    refused_by(test.finalise(&experiment, &owner).await, "vault.authentication");
    assert_eq!(test.count(Outcome::Refused, |act| matches!(act, Act::ArtifactRefused { .. })).await, 2);
    std::fs::remove_file(test.object_file(&artifact.object)).unwrap();
    is_conflict(test.finalise(&experiment, &owner).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_of_another_experiment_is_denied_and_looks_like_none() {
    let test = TestApp::new().await;
    let (mine, theirs) = (test.experiment("mine").await, test.experiment("theirs").await);
    let owner = test.logged_model(&theirs).await;
    test.put(&theirs, &owner, "MLmodel", samples::MLMODEL).await.unwrap();
    refused_by(test.finalise(&mine, &owner).await, "authorization");
    let nothing = sealyard_store::model::ArtifactOwner::LoggedModel("m-0".into());
    refused_by(test.finalise(&mine, &nothing).await, "authorization");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_upload_can_not_be_finalised_later() {
    let test = TestApp::new().await;
    let experiment = test.experiment("e").await;
    let owner = test.logged_model(&experiment).await;
    test.put(&experiment, &owner, "MLmodel", samples::MLMODEL).await.unwrap();
    let may = test.may_edit(&experiment).await;
    let (failed, pending) = (LoggedModelStatus::UploadFailed, LoggedModelStatus::Pending);
    let finalise = |status| test.app.finalise_logged_model(&test.admin, &may, "", status, String::new());
    assert!(finalise(pending).await.is_err());
    let end = test.app.finalise_logged_model(&test.admin, &may, &id(&owner), failed, "no".into()).await.unwrap();
    assert_eq!((end.status, end.tree), (failed, None));
    is_conflict(test.finalise(&experiment, &owner).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_with_more_files_than_a_scanner_can_take_is_refused() {
    let test = TestApp::new().await;
    let experiment = test.experiment("e").await;
    let owner = test.logged_model(&experiment).await;
    let first = test.put(&experiment, &owner, "MLmodel", samples::MLMODEL).await.unwrap();
    test.write(move |tx| {
        for number in 0..10_000 {
            let mut more = first.clone();
            more.path = crate::harness::path(&format!("f{number}"));
            tx.put_artifact(&more)?;
        }
        Ok(())
    })
    .await;
    refused_by(test.finalise(&experiment, &owner).await, "model.files");
}
