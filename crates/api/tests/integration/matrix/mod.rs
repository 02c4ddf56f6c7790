//! Every route, with every kind of caller. There is a table for each family of routes, in a file of its own.
//!
//! The router says which routes there are and what each takes; the tables have a request for each, and say what it takes
//! once more. A route without a request, a request without a route, and two opinions on a right fail.

mod accounts;
mod artifacts;
mod datasets;
mod experiments;
mod fixture;
mod gateway;
mod issues;
mod logged_models;
mod native;
mod registry;
mod router;
mod runs;
mod scorers;
mod server;
mod traces;
mod webhooks;

use sealyard_api::Takes;
use serde_json::json;

use crate::test_app::{NOBODY, TestApp, User};
use fixture::Fixture;

use Takes::{Administrator, Edit, Manage, Read, Somebody};

/// Method, path, body, and what it takes. `{e}`, `{r}`, `{m}`, `{n}` and `{i}` stand for an experiment, a run, a logged
/// model, a registered model with a version 1 and an issue; `{t}`, `{a}` and `{d}` for a trace, its assessment and a data
/// set; `{s}`, `{f}` and `{g}` for a secret of the gateway, a model definition with it and an endpoint with that.
type Row = (&'static str, &'static str, &'static str, Takes);

const TABLES: &[&[Row]] = &[
    experiments::ROUTES,
    runs::ROUTES,
    logged_models::ROUTES,
    registry::ROUTES,
    artifacts::ROUTES,
    traces::ROUTES,
    scorers::ROUTES,
    issues::ROUTES,
    datasets::ROUTES,
    gateway::ROUTES,
    accounts::ROUTES,
    webhooks::ROUTES,
    server::ROUTES,
    native::ROUTES,
];

fn routes() -> impl Iterator<Item = &'static Row> {
    TABLES.iter().copied().flatten()
}

/// What anybody may ask.
const OPEN: &[&str] = &[
    "/health",
    "/ping",
    "/version",
    "/",
    "/login",
    "/login/style.css",
    "/login/page.js",
    "/logout",
    // The pages send who is nobody to the log-in page.
    "/account",
    "/account/command-line",
    // The code and its verifier are asked for in place of a login.
    "/api/sealyard/v1/account/command-line",
    "/account/second-factor",
    "/account/sessions",
    "/account/tokens",
    // Sends nobody on to the log-in page, and who may not read the ledger away.
    "/ledger",
    "/ledger/style.css",
    "/ledger/page.js",
    "/ledger/proof.js",
    // What they show is checked by what a provider signed.
    "/auth/oidc/{provider}/login",
    "/auth/oidc/{provider}/callback",
    "/auth/oidc/{provider}/backchannel",
    "/auth/saml/{provider}/metadata",
    "/auth/saml/{provider}/login",
    "/auth/saml/{provider}/acs",
    // A capability is asked for in place of a login.
    "/api/2.0/mlflow-artifacts/mpu/parts/{upload}/{part}",
    "/ajax-api/2.0/mlflow-artifacts/mpu/parts/{upload}/{part}",
];
/// What takes more than its route says, because of what it names.
const NARROWER: &[Row] = &[
    ("GET", "mlflow-artifacts/artifacts", "", Administrator),
    ("GET", "mlflow-artifacts/artifacts?path=loose", "", Administrator),
    ("GET", "mlflow-artifacts/artifacts/loose/x", "", Administrator),
    ("PUT", "mlflow-artifacts/artifacts/loose/{n}", "content", Administrator),
    ("DELETE", "mlflow-artifacts/artifacts/loose/{n}", "", Administrator),
    ("POST", "mlflow-artifacts/mpu/create/loose", r#"{"path":"big","num_parts":2}"#, Administrator),
    ("POST", "mlflow-artifacts/mpu/complete/loose", r#"{"path":"big","upload_id":"x","parts":[]}"#, Administrator),
    ("POST", "mlflow-artifacts/mpu/abort/loose", r#"{"path":"big","upload_id":"x"}"#, Administrator),
];
/// Mounted for all methods, only to refuse.
const REFUSING: &[&str] = &["/mlflow-artifacts/artifacts/"];

/// The whole path of a row below a root.
fn whole(root: &str, path: &str) -> String {
    match path.split_once(':') {
        Some(("native", path)) => format!("/api/sealyard/v1/{path}"),
        Some(("root", path)) => format!("/{path}"),
        Some(("3.0", path)) => format!("{root}/3.0/{path}"),
        _ => format!("{root}/2.0/{path}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_takes_what_it_says() {
    let test = TestApp::with_pages(true).await;
    let kinds = ["experiment", "registered-model", "gateway-secret", "gateway-model-definition", "gateway-endpoint"];
    let kinds = kinds.map(|kind| format!("{kind}:*"));
    let all = |right| kinds.each_ref().map(|kind| (kind.as_str(), right));
    let callers = [
        ("none", test.user("none", &[]).await, Somebody),
        ("other workspace", stranger(&test).await, Somebody),
        ("reader", test.user("reader", &all("READ")).await, Read),
        ("editor", test.user("editor", &all("EDIT")).await, Edit),
        ("manager", test.user("manager", &all("MANAGE")).await, Manage),
        ("admin", test.admin.clone(), Administrator),
    ];
    let untouched = Fixture::new(&test, 0).await;
    let mut number = 0;
    for route in routes().chain(NARROWER) {
        for root in ["/api", "/ajax-api"] {
            let (status, body) = untouched.ask(&test, &NOBODY, root, route).await;
            assert_eq!((status, &body["error_code"]), (401, &json!("UNAUTHENTICATED")), "nobody: {route:?}");
            for (name, user, has) in &callers {
                if *has >= route.3 {
                    continue;
                }
                let (status, body) = untouched.ask(&test, user, root, route).await;
                assert_eq!(
                    (status, &body["error_code"]),
                    (403, &json!("PERMISSION_DENIED")),
                    "{name}: {route:?} {body}"
                );
            }
        }
        for (name, user, has) in &callers {
            if *has < route.3 {
                continue;
            }
            let reads = matches!(route.0, "GET") || route.3 == Somebody;
            let fresh = if reads {
                None
            } else {
                Some({
                    number += 1;
                    Fixture::new(&test, number).await
                })
            };
            let (status, body) = fresh.as_ref().unwrap_or(&untouched).ask(&test, user, "/api", route).await;
            assert!(!matches!(status, 401 | 403 | 405 | 500..), "{name}: {route:?} {status} {body}");
            assert_ne!(body["error_code"], "ENDPOINT_NOT_FOUND", "{name}: {route:?}");
        }
    }
}

/// Somebody who may do everything in the workspace `team-a`, and nothing in any other.
async fn stranger(test: &TestApp) -> User {
    test.app.enable_workspaces();
    for name in ["team-a", "team-b"] {
        test.post(&test.admin, "/api/3.0/mlflow/workspaces", json!({ "name": name })).await.ok();
    }
    let all = ["team-a/experiment:*", "team-a/registered-model:*", "workspace:team-a"].map(|what| (what, "MANAGE"));
    test.user("stranger", &all).await
}

/// In a workspace, what is in another one is as what is nowhere: whoever asks, and whatever is asked, the answers to both are
/// the same, and what is in the other one stays as it was.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_in_another_workspace_is_as_what_is_nowhere() {
    let test = TestApp::with_pages(true).await;
    let stranger = stranger(&test).await;
    let real = Fixture::new(&test, 10).await;
    let before = real.shown(&test).await;
    let ghost = real.ghost();
    for route in routes() {
        for (name, user) in [("stranger", &stranger), ("admin", &test.admin)] {
            // What is of the whole server is there from wherever it is asked for.
            if name == "admin" && route.3 == Administrator && !route.2.contains("{e}") {
                continue;
            }
            for root in ["/api", "/ajax-api"] {
                let (status, body) = real.ask_in(&test, user, root, route, Some("team-a")).await;
                let (expected, nowhere) = ghost.ask_in(&test, user, root, route, Some("team-a")).await;
                assert_eq!(status, expected, "{name}: {route:?} {body} {nowhere}");
                let reads =
                    ["search", "metrics", "calculate"].iter().any(|asks| route.1.contains(asks)) || route.0 == "GET";
                if status >= 400 || (reads && route.3 != Administrator) {
                    assert_eq!(real.plain(&ghost, &body), real.plain(&ghost, &nowhere), "{name}: {route:?}");
                }
            }
        }
    }
    assert_eq!(real.shown(&test).await, before);
    // And a workspace in which somebody has no right is as one that is not there.
    for workspace in ["team-b", "none-such"] {
        for route in routes().filter(|route| route.1 != "3.0:mlflow/server-info") {
            let (status, body) = real.ask_in(&test, &stranger, "/api", route, Some(workspace)).await;
            assert_eq!((status, &body["error_code"]), (404, &json!("RESOURCE_DOES_NOT_EXIST")), "{route:?} {body}");
            assert_eq!(body["message"], format!("Workspace '{workspace}' not found"));
        }
    }
}
