//! Versions without files, copies, and stages.

use sealyard_app::{AppError, CreateVersion};
use sealyard_core::Verdict;
use sealyard_gate::Stage;
use sealyard_identity::{Edit, Publish, Read};
use sealyard_ledger::{Act, Outcome};
use sealyard_store::model::{ModelVersion, Pair};

use crate::harness::{TestApp, id, model, refused_by};
use crate::samples;

const ELSEWHERE: &str = "s3://bucket/model";

impl TestApp {
    async fn make(&self, source: &str, tags: &[(&str, &str)]) -> Result<ModelVersion, AppError> {
        let may = self.app.authorize(&self.admin, Edit, crate::harness::entry("m")).await?;
        let tags = tags.iter().map(|(key, value)| Pair::new(*key, *value)).collect();
        let new =
            CreateVersion { source: source.into(), run_id: None, model_id: None, description: String::new(), tags };
        self.app.create_version(&self.admin, &may, new).await
    }
}

/// Fault class 2 and 3: only where the operator says so is a source elsewhere even written down.
#[tokio::test(flavor = "multi_thread")]
async fn sources_elsewhere_are_noted_only_when_the_operator_says_so() {
    let test = TestApp::new().await;
    test.registered_model("m").await;
    refused_by(test.make(ELSEWHERE, &[]).await, "version.source");
    test.app.record_external_sources();
    let made = test.make(ELSEWHERE, &[]).await.unwrap();
    assert_eq!((made.version, made.verdict, made.is_record), (1, Verdict::NotAssessed, true));
    assert_eq!((made.source.as_str(), made.download_location().as_str()), (ELSEWHERE, ELSEWHERE));
    for source in ["file:///etc/passwd", "/etc/passwd", "etc/passwd", "s3://b/../x", "mlflow-artifacts:/x/%2e%2e/y"] {
        refused_by(test.make(source, &[]).await, "version.source");
    }
    let noted = |act: &Act| matches!(act, Act::VersionRecorded { version: 1, version_source, .. } if version_source == ELSEWHERE);
    assert_eq!(test.count(Outcome::Done, noted).await, 1);
    // What others have stays theirs.
    let theirs = test.experiment("theirs").await;
    let run = test.run(&theirs).await;
    test.put(&theirs, &run, "model/MLmodel", samples::MLMODEL).await.unwrap();
    let eve = test.user("eve", &[("registered-model:m", "EDIT")]).await;
    refused_by(test.version_from(&eve, "m", &format!("runs:/{}/model", id(&run))).await, "authorization");
    // What is here and whole is frozen all the same.
    assert!(!test.make(&format!("runs:/{}/model", id(&run)), &[]).await.unwrap().is_record);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_gate_lets_a_version_without_files_through() {
    let test = TestApp::new().await;
    test.registered_model("m").await;
    test.app.record_external_sources();
    test.make(ELSEWHERE, &[]).await.unwrap();
    let may = test.app.authorize(&test.admin, Read, crate::harness::entry("m")).await.unwrap();
    for stage in [Stage::Publish, Stage::Deploy, Stage::Admit, Stage::Load] {
        let asked = test.app.gate_check(&test.admin, &may, 1, stage, None).await;
        assert!(matches!(asked, Err(AppError::Conflict(_))), "{stage}: {asked:?}");
    }
    let publish = test.app.authorize(&test.admin, Publish, crate::harness::entry("m")).await.unwrap();
    let request = sealyard_app::PublishRequest { name: "m".into(), version: 1, environment: None };
    assert!(test.app.publish(&test.admin, &publish, request).await.is_err());
    let champion = test.app.set_alias(&test.admin, model("m"), "champion".into(), 1).await;
    assert!(matches!(champion, Err(AppError::Conflict(_))), "{champion:?}");
    assert!(test.app.version_manifest(&may, 1).await.is_err());
    let path = crate::harness::path("MLmodel");
    assert!(test.app.version_file(&may, 1, &path).await.is_err());
    assert!(test.app.version_file_for_people(&may, 1, &path).await.is_err());
    assert_eq!(test.write(|tx| tx.model_version("m", 1)).await.unwrap().published, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_prompt_is_text_and_names_no_place() {
    let test = TestApp::new().await;
    test.registered_model("m").await;
    let prompt = [("mlflow.prompt.is_prompt", "true"), ("mlflow.prompt.text", "Say {{x}}")];
    // A version of a model is not made a prompt by a tag.
    refused_by(test.make("prompt-template", &prompt).await, "version.source");
    test.write(|tx| tx.set_registered_model_tag("m", "mlflow.prompt.is_prompt", "true")).await;
    for source in ["/etc/passwd", "file:///etc", "s3://b/x", "runs:/x/y", "models:/m/1", "..", "a/b", "a%2fb"] {
        refused_by(test.make(source, &prompt).await, "version.source");
    }
    let made = test.make("prompt-template", &prompt).await.unwrap();
    assert!(made.is_record && made.verdict == Verdict::NotAssessed);
    assert_eq!(made.tags[1], Pair::new("mlflow.prompt.text", "Say {{x}}"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_has_the_same_frozen_files_and_takes_the_right_to_read() {
    let test = TestApp::new().await;
    let (_, _, original) = test.good_version().await;
    test.registered_model("copies").await;
    let eve = test.user("eve", &[("registered-model:copies", "EDIT")]).await;
    let bob = test.user("bob", &[("registered-model:copies", "EDIT"), ("registered-model:m", "READ")]).await;
    refused_by(test.version_from(&eve, "copies", "models:/m/1").await, "authorization");
    refused_by(test.version_from(&bob, "copies", "models:/m/2").await, "version.source");
    let copy = test.version_from(&bob, "copies", "models:/m/1").await.unwrap();
    assert_eq!((copy.tree, copy.verdict, copy.published), (original.tree, original.verdict, None));
    assert_eq!(copy.download_location(), original.download_location());
    let (mine, theirs) =
        test.write(|tx| Ok((tx.model_version_files("copies", 1)?, tx.model_version_files("m", 1)?))).await;
    assert_eq!(mine, theirs);
    // And of a copy again; the files are where they were.
    let again = test.version_from(&bob, "copies", "models:/copies/1").await.unwrap();
    assert_eq!(again.download_location(), original.download_location());
}

#[tokio::test(flavor = "multi_thread")]
async fn stages_go_no_way_around_a_protected_alias() {
    let policy = crate::harness::POLICY.replace("\"champion\"", "\"champion\", \"production\"");
    assert_ne!(policy, crate::harness::POLICY);
    let test = TestApp::with_policy(Some(&policy)).await;
    test.good_version().await;
    let eve = test.user("eve", &[("registered-model:m", "EDIT")]).await;
    let set = |caller, stage| test.app.set_stage(caller, model("m"), 1, stage, false);
    assert_eq!(set(&eve, "staging").await.unwrap().stage, "Staging");
    for stage in ["Production", "production", "PRODUCTION"] {
        refused_by(set(&eve, stage).await, "authorization");
        assert!(set(&test.admin, stage).await.is_err(), "nobody published it");
    }
    assert!(matches!(set(&eve, "Elsewhere").await, Err(AppError::Invalid(_))));
    assert_eq!(test.write(|tx| tx.model_version("m", 1)).await.unwrap().stage, "Staging");
    assert!(matches!(test.app.set_stage(&eve, model("m"), 1, "Archived", true).await, Err(AppError::Invalid(_))));
    test.version_from(&test.admin, "m", "models:/m/1").await.unwrap();
    test.app.set_stage(&eve, model("m"), 2, "Staging", true).await.unwrap();
    assert_eq!(test.write(|tx| tx.model_version("m", 1)).await.unwrap().stage, "Archived");
}
