use axum::body::Body;
use http::Method;
use serde_json::json;

use crate::test_app::{PASSWORD, TestApp};

#[tokio::test]
async fn only_administrators_make_users_and_grants() {
    let test = TestApp::new().await;
    let ada =
        test.user("ada", &[("server", "MANAGE"), ("experiment:*", "MANAGE"), ("registered-model:*", "MANAGE")]).await;
    let user = json!({"name": "eve", "password": PASSWORD, "admin": true});
    test.post(&ada, "/api/sealyard/v1/users", user.clone()).await.error(403, "PERMISSION_DENIED");
    let grant = json!({"user": "ada", "resource": "ledger", "right": "READ"});
    test.post(&ada, "/api/sealyard/v1/grants", grant.clone()).await.error(403, "PERMISSION_DENIED");
    test.get(&ada, "/api/sealyard/v1/ledger/entries").await.error(403, "PERMISSION_DENIED");
    let weak = json!({"name": "eve", "password": "short"});
    let message = test.post(&test.admin, "/api/sealyard/v1/users", weak).await.error(400, "INVALID_PARAMETER_VALUE");
    assert!(!message.contains("short\""), "{message}");
    test.post(&test.admin, "/api/sealyard/v1/grants", grant.clone()).await.ok();
    test.get(&ada, "/api/sealyard/v1/ledger/entries").await.ok();
    test.call(&test.admin, Method::DELETE, "/api/sealyard/v1/grants", grant.to_string()).await.ok();
    test.get(&ada, "/api/sealyard/v1/ledger/entries").await.error(403, "PERMISSION_DENIED");
}

#[tokio::test]
async fn a_limited_token_of_an_administrator_is_limited() {
    let test = TestApp::new().await;
    let experiment = test.experiment(&test.admin, "x").await;
    let narrow = test.token_of("admin", &format!("experiment:{experiment}:edit")).await;
    let who = test.get(&narrow, "/api/sealyard/v1/whoami").await.ok();
    assert_eq!(who["scopes"], json!([format!("experiment:{experiment}:edit")]));
    test.run(&narrow, &experiment).await;
    test.get(&narrow, "/api/sealyard/v1/ledger/entries").await.error(403, "PERMISSION_DENIED");
    let user = json!({"name": "eve", "password": PASSWORD});
    test.post(&narrow, "/api/sealyard/v1/users", user).await.error(403, "PERMISSION_DENIED");
    let wide = json!({"scopes": ["all"]});
    test.post(&narrow, "/api/sealyard/v1/tokens", wide).await.error(403, "PERMISSION_DENIED");
}

#[tokio::test]
async fn requests_say_no_more_than_is_known() {
    let test = TestApp::new().await;
    let more = json!({"scopes": ["all"], "admin": true});
    test.post(&test.admin, "/api/sealyard/v1/tokens", more).await.error(400, "INVALID_PARAMETER_VALUE");
    let bad = json!({"scopes": ["everything"]});
    test.post(&test.admin, "/api/sealyard/v1/tokens", bad).await.error(400, "INVALID_PARAMETER_VALUE");
    test.post(&test.admin, "/api/sealyard/v1/tokens", json!({})).await.error(400, "INVALID_PARAMETER_VALUE");
}

#[tokio::test]
async fn the_ledger_has_a_signed_end() {
    let test = TestApp::new().await;
    assert!(!test.ledger().await.is_empty());
    let status = test.get(&test.admin, "/api/sealyard/v1/ledger/checkpoint").await.ok();
    assert!(status["checkpoint"].as_str().unwrap().starts_with("test\n"));
    assert!(status["size"].as_u64().unwrap() > 0);
    let tokens = test.get(&test.admin, "/api/sealyard/v1/tokens").await.ok();
    assert!(tokens["tokens"][0]["token"].is_null());
    let path = "/api/sealyard/v1/tokens/nothing";
    test.call(&test.admin, Method::DELETE, path, Body::empty()).await.error(404, "RESOURCE_DOES_NOT_EXIST");
}
