//! What a stock client downloads for a version or a finalised model is what was frozen and scanned.

use crate::harness::{TestApp, id, is_conflict, read};
use crate::samples;

#[tokio::test(flavor = "multi_thread")]
async fn files_of_a_finalised_model_stay() {
    let test = TestApp::new().await;
    let experiment = test.experiment("e").await;
    let owner = test.good_model(&experiment).await;
    let before = test.objects();
    for at in ["MLmodel", "more"] {
        is_conflict(test.put(&experiment, &owner, at, b"other").await);
    }
    is_conflict(test.delete(&experiment, &owner, "MLmodel").await);
    is_conflict(test.finalise(&experiment, &owner).await);
    assert_eq!(test.objects(), before);
    let (bytes, _) = read(test.get(&experiment, &owner, "MLmodel").await.unwrap()).await;
    assert_eq!(bytes, samples::MLMODEL);
}

#[tokio::test(flavor = "multi_thread")]
async fn files_of_a_run_that_became_a_version_stay_and_none_is_added() {
    let test = TestApp::new().await;
    let experiment = test.experiment("e").await;
    let owner = test.run(&experiment).await;
    test.put(&experiment, &owner, "model/MLmodel", samples::MLMODEL_WITH_CODE).await.unwrap();
    test.put(&experiment, &owner, "model/weights.txt", samples::WEIGHTS).await.unwrap();
    test.put(&experiment, &owner, "plot.txt", b"a plot").await.unwrap();
    test.registered_model("m").await;
    test.version_from(&test.admin, "m", &format!("runs:/{}/model", id(&owner))).await.unwrap();
    let before = test.objects();
    is_conflict(test.put(&experiment, &owner, "model/weights.txt", b"other").await);
    is_conflict(test.put(&experiment, &owner, &format!("model/{}", samples::SHADOW), b"import os").await);
    is_conflict(test.delete(&experiment, &owner, "model/weights.txt").await);
    is_conflict(test.delete(&experiment, &owner, "model").await);
    assert_eq!(test.objects(), before);
    let (bytes, _) = read(test.get(&experiment, &owner, "model/weights.txt").await.unwrap()).await;
    assert_eq!(bytes, samples::WEIGHTS);
    test.put(&experiment, &owner, "plot.txt", b"another plot").await.unwrap();
    test.put(&experiment, &owner, "model-2/MLmodel", samples::MLMODEL).await.unwrap();
    test.delete(&experiment, &owner, "plot.txt").await.unwrap();
}

/// The client names another run; the freeze must not believe it.
#[tokio::test(flavor = "multi_thread")]
async fn a_claim_to_be_of_another_run_does_not_thaw() {
    let test = TestApp::new().await;
    let experiment = test.experiment("e").await;
    let (owner, other) = (test.run(&experiment).await, test.run(&experiment).await);
    test.put(&experiment, &owner, "model/MLmodel", samples::MLMODEL).await.unwrap();
    test.registered_model("m").await;
    let may = test.app.authorize(&test.admin, sealyard_identity::Edit, crate::harness::entry("m")).await.unwrap();
    let request = sealyard_app::CreateVersion {
        source: format!("mlflow-artifacts:/{experiment}/{}/artifacts/model", id(&owner)),
        run_id: Some(id(&other)),
        model_id: None,
        description: String::new(),
        tags: vec![],
    };
    let version = test.app.create_version(&test.admin, &may, request).await.unwrap();
    assert_eq!(version.run_id, Some(id(&owner)));
    is_conflict(test.put(&experiment, &owner, "model/extra.txt", b"more").await);
}
