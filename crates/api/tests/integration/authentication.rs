use axum::body::Body;
use http::{Method, Request};
use serde_json::json;

use crate::test_app::{NOBODY, PASSWORD, TestApp, User};

#[tokio::test]
async fn nobody_gets_in_and_is_told_how() {
    let test = TestApp::new().await;
    let answer = test.ask(&NOBODY, "experiments/get?experiment_id=0").await;
    assert_eq!(answer.headers.get_all("www-authenticate").iter().count(), 2);
    answer.error(401, "UNAUTHENTICATED");
    for token in ["", "x", "sy_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"] {
        test.ask(&User::with_token(token), "experiments/get?experiment_id=0").await.error(401, "UNAUTHENTICATED");
    }
    // What is no endpoint does not tell nobody so.
    test.get(&NOBODY, "/api/2.0/mlflow/nothing").await.error(401, "UNAUTHENTICATED");
    for path in ["/health", "/ping", "/version"] {
        assert!(test.get(&NOBODY, path).await.status.is_success(), "{path}");
    }
}

#[tokio::test]
async fn wrong_passwords_are_recorded_and_throttled() {
    use base64::Engine as _;
    let test = TestApp::new().await;
    let attempt = |name: &str, password: &str| {
        let basic = base64::engine::general_purpose::STANDARD.encode(format!("{name}:{password}"));
        Request::get("/api/2.0/mlflow/experiments/get?experiment_id=0")
            .header("host", "localhost")
            .header("authorization", format!("Basic {basic}"))
            .body(Body::empty())
            .unwrap()
    };
    test.send(attempt("admin", PASSWORD)).await.ok();
    let wrong = test.send(attempt("admin", "wrong")).await.error(401, "UNAUTHENTICATED");
    let unknown = test.send(attempt("nobody", "wrong")).await.error(401, "UNAUTHENTICATED");
    assert_eq!(wrong, unknown);
    let mut last = 0;
    for _ in 0..20 {
        last = test.send(attempt("admin", "wrong")).await.status.as_u16();
        if last == 429 {
            break;
        }
    }
    assert_eq!(last, 429);
    let ledger = test.ledger().await;
    assert!(TestApp::has(&ledger, &json!({"act": "login-failed", "name": "admin", "outcome": "refused"})));
}

#[tokio::test]
async fn revoked_and_expired_tokens_end() {
    let test = TestApp::new().await;
    let made = test.post(&test.admin, "/api/sealyard/v1/tokens", json!({"scopes": ["all"]})).await;
    assert_eq!(made.headers["cache-control"], "no-store");
    let made = made.ok();
    let token = User::with_token(made["token"].as_str().unwrap());
    test.get(&token, "/api/sealyard/v1/whoami").await.ok();
    let path = format!("/api/sealyard/v1/tokens/{}", made["id"].as_str().unwrap());
    test.call(&test.admin, Method::DELETE, &path, Body::empty()).await.ok();
    test.get(&token, "/api/sealyard/v1/whoami").await.error(401, "UNAUTHENTICATED");

    let short = json!({"scopes": ["all"], "expires": "2027-01-15T09:00:00Z"});
    let made = test.post(&test.admin, "/api/sealyard/v1/tokens", short).await.ok();
    let token = User::with_token(made["token"].as_str().unwrap());
    test.get(&token, "/api/sealyard/v1/whoami").await.ok();
    test.clock.set(sealyard_core::Timestamp::from_rfc3339("2027-01-15T09:00:00Z").unwrap());
    test.get(&token, "/api/sealyard/v1/whoami").await.error(401, "UNAUTHENTICATED");
}

#[tokio::test]
async fn hosts_and_origins_are_checked_on_every_route() {
    let test = TestApp::new().await;
    let request = |host: &str, origin: Option<&str>, method: &str, path: &str| {
        let mut request = Request::builder().method(method).uri(path).header("host", host);
        if let Some(origin) = origin {
            request = request.header("origin", origin);
        }
        request.body(Body::empty()).unwrap()
    };
    for path in ["/health", "/api/2.0/mlflow/experiments/get?experiment_id=0", "/nothing"] {
        let message = test.send(request("evil.example", None, "GET", path)).await.error(403, "PERMISSION_DENIED");
        assert!(message.contains("http.host"), "{message}");
    }
    let foreign = request("localhost", Some("https://evil.example"), "POST", "/api/2.0/mlflow/experiments/create");
    let message = test.send(foreign).await.error(403, "PERMISSION_DENIED");
    assert!(message.contains("http.origin"), "{message}");
}

#[tokio::test]
async fn answers_carry_an_id_and_are_neither_run_nor_kept() {
    let test = TestApp::new().await;
    let first = test.ask(&test.admin, "experiments/get?experiment_id=0").await;
    let second = test.get(&NOBODY, "/nothing").await;
    assert_ne!(first.headers["x-request-id"], second.headers["x-request-id"]);
    for answer in [first, second] {
        assert_eq!(answer.headers["x-content-type-options"], "nosniff");
        assert!(answer.headers["content-security-policy"].to_str().unwrap().starts_with("default-src 'none'"));
        assert_eq!(answer.headers["cache-control"], "no-store");
        assert_eq!(answer.headers["x-frame-options"], "DENY");
    }
}

#[tokio::test]
async fn unknown_endpoints_look_like_mlflows() {
    let test = TestApp::new().await;
    for path in
        ["/api/2.0/mlflow/nothing", "/api/3.0/mlflow/gateway/budgets/list", "/x", "/api/2.0/mlflow/../mlflow/runs/get"]
    {
        test.get(&test.admin, path).await.error(404, "ENDPOINT_NOT_FOUND");
    }
    test.get(&test.admin, "/api/2.0/mlflow/runs/create").await.error(405, "ENDPOINT_NOT_FOUND");
}

#[tokio::test]
async fn without_authentication_everybody_on_this_machine_is_administrator() {
    use std::net::{IpAddr, Ipv4Addr};
    let test = TestApp::new().await;
    let open = "/api/sealyard/v1/ledger/entries";
    test.get(&NOBODY, open).await.error(401, "UNAUTHENTICATED");
    test.app.disable_authentication().await.unwrap();
    test.get(&NOBODY, open).await.ok();
    let who = test.get(&User::with_token("sy_wrong"), "/api/sealyard/v1/whoami").await.ok();
    assert_eq!((&who["name"], &who["admin"]), (&json!("local-administrator"), &json!(true)));
    // What keeps other machines and other sites out still does.
    let far = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
    assert!(test.app.local_administrator(Some(far), None).is_none());
    assert!(test.app.local_administrator(Some("::ffff:127.0.0.1".parse().unwrap()), None).is_some());
    for (name, value) in [("host", "rebound.example"), ("origin", "https://evil.example")] {
        let mut request = Request::post("/api/2.0/mlflow/experiments/create").header(name, value);
        if name != "host" {
            request = request.header("host", "localhost");
        }
        let request = request.body(Body::from(r#"{"name":"x"}"#)).unwrap();
        test.send(request).await.error(403, "PERMISSION_DENIED");
    }
    test.experiment(&NOBODY, "mine").await;
    let ledger = test.ledger().await;
    assert!(TestApp::has(&ledger, &json!({"act": "authentication-disabled", "actor": "system"})));
    assert!(TestApp::has(&ledger, &json!({"act": "experiment-created", "actor": "local-administrator"})));
}

#[tokio::test]
async fn the_servers_own_names_are_nobodys() {
    let test = TestApp::new().await;
    for name in ["system", "Anonymous", "local-administrator"] {
        let new = json!({ "name": name, "password": PASSWORD });
        let answer = test.post(&test.admin, "/api/sealyard/v1/users", new).await;
        answer.error(400, "INVALID_PARAMETER_VALUE");
    }
}

/// A client that believes itself in a workspace of its own must not work among everybody's things.
#[tokio::test]
async fn a_request_that_names_a_workspace_is_refused() {
    let test = TestApp::new().await;
    let ask = |method: &str, path: &str, workspace: &str| {
        let request = Request::builder().method(method).uri(path).header("host", "localhost");
        let request =
            request.header("authorization", test.admin.authorization()).header("X-MLFLOW-WORKSPACE", workspace);
        request.body(Body::empty()).unwrap()
    };
    for (method, path) in [
        ("GET", "/api/2.0/mlflow/experiments/get?experiment_id=0"),
        ("POST", "/ajax-api/2.0/mlflow/experiments/search"),
        ("GET", "/api/2.0/mlflow-artifacts/artifacts?path=x"),
        ("GET", "/api/sealyard/v1/whoami"),
        ("GET", "/nothing"),
    ] {
        for workspace in ["team-a", "default"] {
            let message = test.send(ask(method, path, workspace)).await.error(400, "FEATURE_DISABLED");
            assert!(message.contains("workspaces are not enabled on this server"), "{message}");
        }
    }
    test.send(ask("GET", "/api/2.0/mlflow/experiments/get?experiment_id=0", " ")).await.ok();
    let info = test.send(ask("GET", "/api/3.0/mlflow/server-info", "team-a")).await.ok();
    assert_eq!(info["workspaces_enabled"], false);
}
