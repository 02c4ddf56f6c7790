use sealyard_app::{AppError, CreateVersion};
use sealyard_identity::{Edit, Manage};
use sealyard_ledger::{Act, Outcome};
use sealyard_store::model::{Pair, VersionStatus};

use crate::harness::{TestApp, id, refused_by, start};
use crate::samples;

#[tokio::test(flavor = "multi_thread")]
async fn registering_is_not_publishing() {
    let test = TestApp::new().await;
    let (experiment, owner, version) = test.good_version().await;
    assert_eq!((version.version, version.status, version.published), (1, VersionStatus::Ready, None));
    assert_eq!((version.model_id, version.experiment_id), (Some(id(&owner)), experiment.to_string()));
    let (tree, files) = test.write(|tx| tx.model_version_files("m", 1)).await;
    assert_eq!((tree.digest(), files.len()), (version.tree, 2));
    let evidence = test.write(move |tx| tx.evidence_for(&version.tree)).await;
    // The scan when it was finalised and the one now speak of the same files.
    assert!(!evidence.is_empty() && evidence.iter().all(|record| record.added_by == "system"));
    let told = |act: &Act| matches!(act, Act::VersionCreated { version: 1, digest, .. } if *digest == tree.digest());
    assert_eq!(test.count(Outcome::Done, told).await, 1);
    let scanned =
        |act: &Act| matches!(act, Act::KeyUsed { of, subject, .. } if of == "scanner" && *subject == tree.digest());
    assert_eq!(test.count(Outcome::Done, scanned).await, 2, "the scanner's key signed both reports");
}

/// A name can be deleted and be made anew, as something else, while somebody's act on it waits for its turn.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_allowed_on_a_prompt_is_not_done_to_a_model() {
    let test = TestApp::new().await;
    let tag = |key: &str, value: &str| Pair { key: key.into(), value: value.into() };
    test.write(move |tx| {
        tx.create_registered_model("p", "", &[tag("mlflow.prompt.is_prompt", "true")], "ada", start())
    })
    .await;
    let edit = test.app.authorize_registered_model(&test.admin, Edit, "p").await.unwrap();
    let manage = test.app.authorize_registered_model(&test.admin, Manage, "p").await.unwrap();
    let new = test.app.authorize_registered_model_creation(&test.admin, "q", true).await.unwrap();
    test.app.set_registered_model_tag(&edit, tag("k", "v")).await.unwrap();
    test.write(|tx| tx.delete_registered_model("p")).await;
    test.registered_model("p").await;
    assert!(matches!(test.app.set_registered_model_tag(&edit, tag("k", "v")).await, Err(AppError::Conflict(_))));
    assert!(matches!(test.app.delete_registered_model_tag(&edit, "k").await, Err(AppError::Conflict(_))));
    let described = test.app.describe_registered_model(&edit, "x".into()).await;
    assert!(matches!(described, Err(AppError::Conflict(_))));
    let renamed = test.app.rename_registered_model(&test.admin, &manage, &new).await;
    assert!(matches!(renamed, Err(AppError::Conflict(_))));
    assert!(matches!(test.app.delete_registered_model(&test.admin, &manage).await, Err(AppError::Conflict(_))));
    // Whoever asks now is told of the model.
    let now = test.app.authorize_registered_model(&test.admin, Manage, "p").await.unwrap();
    test.app.delete_registered_model(&test.admin, &now).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_must_be_finalised_files_of_this_server() {
    let test = TestApp::new().await;
    let experiment = test.experiment("e").await;
    let (pending, run) = (test.logged_model(&experiment).await, test.run(&experiment).await);
    test.put(&experiment, &pending, "MLmodel", samples::MLMODEL).await.unwrap();
    test.put(&experiment, &run, "model/MLmodel", samples::MLMODEL).await.unwrap();
    test.registered_model("m").await;
    let refused = [
        ("file:///etc/passwd".to_owned(), "version.source"),
        ("/etc/passwd".to_owned(), "version.source"),
        ("http://127.0.0.1:1/x".to_owned(), "version.source"),
        ("mlflow-artifacts://elsewhere/0/x/artifacts/y".to_owned(), "version.source"),
        (format!("models:/{}", id(&pending)), "version.source"),
        (format!("mlflow-artifacts:/{experiment}/models/{}/artifacts", id(&pending)), "version.source"),
        (format!("mlflow-artifacts:/0/{}/artifacts/model", id(&run)), "version.source"),
        (format!("runs:/{}", "0".repeat(32)), "version.source"),
        ("models:/m-0".to_owned(), "version.source"),
        (format!("runs:/{}/../x", id(&run)), "artifact.path"),
        (format!("runs:/{}/nothing", id(&run)), "model.files"),
        (format!("runs:/{}/mod", id(&run)), "model.files"),
        (format!("runs:/{}/model/MLmodel", id(&run)), "model.files"),
    ];
    let count = refused.len();
    for (source, rule) in refused {
        let result = test.version_from(&test.admin, "m", &source).await;
        assert_eq!(result.as_ref().map_err(AppError::rules).err(), Some(vec![rule.to_owned()]), "{source}: {result:?}");
    }
    assert_eq!(test.refused_versions().await, count);
    test.version_from(&test.admin, "m", &format!("mlflow-artifacts:/{experiment}/{}/artifacts/model", id(&run)))
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn files_of_others_are_denied_in_the_same_words_as_files_that_are_not_there() {
    let test = TestApp::new().await;
    let theirs = test.experiment("theirs").await;
    let (run, logged) = (test.run(&theirs).await, test.good_model(&theirs).await);
    test.put(&theirs, &run, "model/MLmodel", samples::MLMODEL).await.unwrap();
    let eve = test.user("eve", &[("registered-model:m", "EDIT")]).await;
    test.registered_model("m").await;
    let mut answers = std::collections::BTreeSet::new();
    let sources = [
        format!("runs:/{}/model", id(&run)),
        format!("runs:/{}/model", "0".repeat(32)),
        format!("models:/{}", id(&logged)),
        format!("models:/m-{}", "0".repeat(32)),
        format!("mlflow-artifacts:/{theirs}/{}/artifacts/model", id(&run)),
    ];
    for source in sources {
        let result = test.version_from(&eve, "m", &source).await;
        let Err(error @ AppError::Denied { rule: "authorization", .. }) = result else {
            panic!("{source}: {result:?}")
        };
        answers.insert(error.to_string());
    }
    assert_eq!(answers.len(), 1, "{answers:?}");
    assert_eq!(test.write(|tx| tx.model_version("m", 1)).await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_can_not_claim_to_come_from_what_its_maker_may_not_see() {
    let test = TestApp::new().await;
    let (mine, theirs) = (test.experiment("mine").await, test.experiment("theirs").await);
    let grants = [("registered-model:m", "EDIT"), (&*format!("experiment:{mine}"), "EDIT")];
    let eve = test.user("eve", &grants).await;
    let (own, secret) = (test.run(&mine).await, test.run(&theirs).await);
    let (model_of_mine, model_of_theirs) = (test.good_model(&mine).await, test.good_model(&theirs).await);
    test.put(&mine, &own, "model/MLmodel", samples::MLMODEL).await.unwrap();
    test.registered_model("m").await;
    let may = test.app.authorize(&eve, Edit, crate::harness::entry("m")).await.unwrap();
    let claim = |source: String, run_id: Option<String>, model_id: Option<String>| {
        let request = CreateVersion { source, run_id, model_id, description: String::new(), tags: vec![] };
        test.app.create_version(&eve, &may, request)
    };
    let of_model = format!("models:/{}", id(&model_of_mine));
    let of_run = format!("runs:/{}/model", id(&own));
    refused_by(claim(of_model.clone(), Some(id(&secret)), None).await, "authorization");
    refused_by(claim(of_run.clone(), None, Some(id(&model_of_theirs))).await, "authorization");
    let version = claim(of_model, Some(id(&own)), Some(id(&model_of_theirs))).await.unwrap();
    assert_eq!((version.run_id, version.model_id), (Some(id(&own)), Some(id(&model_of_mine))));
    let version = claim(of_run, Some(id(&secret)), Some(id(&model_of_mine))).await.unwrap();
    assert_eq!((version.run_id, version.model_id), (Some(id(&own)), Some(id(&model_of_mine))));
}
