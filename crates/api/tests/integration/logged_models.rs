use axum::body::Body;
use http::Method;
use serde_json::json;

use crate::test_app::TestApp;

#[tokio::test]
async fn finalised_models_are_frozen() {
    let test = TestApp::new().await;
    let experiment = test.experiment(&test.admin, "x").await;
    let id = test.logged_model(&test.admin, &experiment).await;
    let found = test.ask(&test.admin, &format!("logged-models/{id}")).await.ok();
    assert_eq!(found["model"]["info"]["status"], "LOGGED_MODEL_READY");
    let path = format!("{experiment}/models/{id}/artifacts/MLmodel");
    test.upload(&test.admin, &path, "changed").await.error(400, "INVALID_PARAMETER_VALUE");
    let delete = format!("/api/2.0/mlflow-artifacts/artifacts/{path}");
    test.call(&test.admin, Method::DELETE, &delete, Body::empty()).await.error(400, "INVALID_PARAMETER_VALUE");
    // Clients repeat themselves.
    test.finalise(&test.admin, &id).await.ok();
    let back = json!({"status": "LOGGED_MODEL_PENDING"}).to_string();
    let path = format!("/api/2.0/mlflow/logged-models/{id}");
    test.call(&test.admin, Method::PATCH, &path, back).await.error(400, "INVALID_PARAMETER_VALUE");
    assert!(TestApp::has(&test.ledger().await, &json!({"act": "model-finalised", "model_id": id})));
}

#[tokio::test]
async fn the_path_and_the_body_name_one_model() {
    let test = TestApp::new().await;
    let experiment = test.experiment(&test.admin, "x").await;
    let id = test.logged_model(&test.admin, &experiment).await;
    let body = json!({"model_id": "m-00000000000000000000000000000000", "status": "LOGGED_MODEL_READY"}).to_string();
    let path = format!("/api/2.0/mlflow/logged-models/{id}");
    test.call(&test.admin, Method::PATCH, &path, body).await.error(400, "INVALID_PARAMETER_VALUE");
}

#[tokio::test]
async fn searches_and_tags() {
    let test = TestApp::new().await;
    let experiment = test.experiment(&test.admin, "x").await;
    let id = test.logged_model(&test.admin, &experiment).await;
    let tags = json!({"tags": [{"key": "kind", "value": "ridge"}]}).to_string();
    let path = format!("/api/2.0/mlflow/logged-models/{id}/tags");
    test.call(&test.admin, Method::PATCH, &path, tags).await.ok();
    for filter in ["name = 'model'", "tags.kind = 'ridge'", &format!("model_id = '{id}'"), ""] {
        let search = json!({"experiment_ids": [experiment], "filter": filter});
        let found = test.mlflow(&test.admin, "logged-models/search", search).await.ok();
        assert_eq!(found["models"][0]["info"]["model_id"], id, "{filter}");
    }
    let search = json!({"experiment_ids": [experiment], "filter": "name = 'other'",
                        "order_by": [{"field_name": "creation_time", "ascending": false}]});
    assert_eq!(test.mlflow(&test.admin, "logged-models/search", search).await.ok(), json!({}));
    let path = format!("{path}/kind");
    test.call(&test.admin, Method::DELETE, &path, Body::empty()).await.ok();
}

#[tokio::test]
async fn a_model_of_anothers_run_is_refused() {
    let test = TestApp::new().await;
    let (mine, other) = (test.experiment(&test.admin, "a").await, test.experiment(&test.admin, "b").await);
    let ada = test.user("ada", &[(&format!("experiment:{mine}"), "EDIT")]).await;
    let run = test.run(&test.admin, &other).await;
    let new = json!({"experiment_id": mine, "name": "model", "source_run_id": run});
    test.mlflow(&ada, "logged-models", new).await.error(403, "PERMISSION_DENIED");
}
