use axum::body::Body;
use base64::Engine as _;
use http::{Method, Request};
use sealyard_api::Takes;
use serde_json::json;

use super::{Target, all_routes};
use crate::test_app::PASSWORD;

#[tokio::test]
async fn fault_06_accounts_passwords_and_forged_requests() {
    let target = Target::new().await;
    let test = &target.test;
    let stranger = test.user("stranger", &[("experiment:*", "MANAGE"), ("registered-model:*", "MANAGE")]).await;
    // Nobody but an administrator makes accounts, on no route; MLflow's sign-up page is not there.
    for path in [
        "/api/sealyard/v1/users",
        "/api/2.0/mlflow/users/create",
        "/ajax-api/2.0/mlflow/users/create",
        "/signup",
        "/api/2.0/mlflow/users/update-admin",
    ] {
        let new = json!({"name": "eve", "username": "eve", "password": PASSWORD, "admin": true, "is_admin": true});
        let answer = test.post(&stranger, path, new).await;
        assert!((400..500).contains(&answer.status.as_u16()), "{path}: {}", answer.status);
    }
    // Weak, default and empty passwords.
    for password in [
        "",
        " ",
        "a",
        "password",
        "password1234",
        "admin",
        "12345678",
        "eve",
        "\0\0\0\0\0\0\0\0\0\0\0\0",
        "            ",
    ] {
        for path in ["/api/sealyard/v1/users", "/api/2.0/mlflow/users/create"] {
            let new = json!({"name": "weak", "username": "weak", "password": password});
            let answer = test.post(&test.admin, path, new).await;
            assert!((400..500).contains(&answer.status.as_u16()), "{path} {password:?}: {}", answer.status);
        }
        for name in ["admin", "stranger", "weak", ""] {
            let basic = base64::engine::general_purpose::STANDARD.encode(format!("{name}:{password}"));
            let request = Request::get("/api/sealyard/v1/whoami")
                .header("host", "localhost")
                .header("authorization", format!("Basic {basic}"));
            let status = test.send(request.body(Body::empty()).unwrap()).await.status.as_u16();
            assert!(matches!(status, 401 | 429), "{name}:{password}: {status}");
        }
    }
    // A page of another origin, with the user's own credentials, changes nothing on any route.
    let basic = base64::engine::general_purpose::STANDARD.encode(format!("stranger:{PASSWORD}"));
    for (method, endpoint) in all_routes() {
        if method == Method::GET || endpoint.takes == Takes::Nobody {
            continue;
        }
        for (name, value) in [("origin", "https://evil.example"), ("origin", "null"), ("sec-fetch-site", "cross-site")]
        {
            let request = Request::builder()
                .method(method.clone())
                .uri(target.fill(&endpoint.path, None))
                .header("host", "localhost")
                .header("authorization", format!("Basic {basic}"))
                .header("content-type", "application/json")
                .header(name, value);
            let answer = test.send(request.body(Body::from("{}")).unwrap()).await;
            assert_eq!(answer.status.as_u16(), 403, "{method} {} {name}: {value}", endpoint.path);
            assert_eq!(answer.json()["rules"], json!(["http.origin"]), "{method} {}", endpoint.path);
        }
    }
}
