//! Faults that MLflow has had, by name. Each must be impossible here, on every route there is: where it can be, a test takes its
//! routes from the router's own list, so that a new route is attacked too.

mod accounts;
mod content;
mod identity;
mod paths;
mod requests;
mod routes;

use axum::body::Body;
use http::Method;
use sealyard_api::{Endpoint, endpoints};

use crate::test_app::{Answer, TestApp, User};

/// Things to aim at: the administrator's, with a secret in them.
struct Target {
    test: TestApp,
    experiment: String,
    run: String,
    model: String,
}

const SECRET: &str = "the secret of the run";

impl Target {
    async fn new() -> Self {
        let test = TestApp::new().await;
        let admin = test.admin.clone();
        let experiment = test.experiment(&admin, "target").await;
        let run = test.run(&admin, &experiment).await;
        test.upload(&admin, &format!("{experiment}/{run}/artifacts/model/known.txt"), SECRET).await.ok();
        let model = test.logged_model(&admin, &experiment).await;
        test.version(&admin, "target", &model).await;
        Self { test, experiment, run, model }
    }

    /// The run's file, through the proxy.
    fn known(&self) -> String {
        format!("/api/2.0/mlflow-artifacts/artifacts/{}/{}/artifacts/model/known.txt", self.experiment, self.run)
    }

    /// What was there is there.
    async fn is_untouched(&self) {
        let found = self.test.get(&self.test.admin, &self.known()).await;
        assert_eq!((found.status.as_u16(), found.bytes.unwrap().as_ref()), (200, SECRET.as_bytes()));
    }

    /// A path of the router with everything in it that varies, but what `but` names.
    fn fill(&self, path: &str, but: Option<&str>) -> String {
        let mut filled = String::new();
        for part in path.split('/').skip(1) {
            let name = part.trim_start_matches(['{', '*']).trim_end_matches('}');
            let value = match name {
                _ if !part.starts_with('{') => part,
                _ if Some(name) == but => part,
                "experiment_id" => &self.experiment,
                "run_id" => &self.run,
                "model_id" => &self.model,
                "name" => "target",
                "version" => "1",
                "id" if path.contains("logged-models") => &self.model,
                _ => "1",
            };
            filled.push('/');
            filled.push_str(value);
        }
        filled
    }
}

/// Every route of the router, each method of those that take all.
fn all_routes() -> Vec<(Method, Endpoint)> {
    let mut found = Vec::new();
    for endpoint in endpoints() {
        let methods = if endpoint.method == "ANY" {
            vec!["GET", "POST", "PUT", "PATCH", "DELETE"]
        } else {
            vec![endpoint.method]
        };
        for method in methods {
            found.push((method.parse().unwrap(), endpoint.clone()));
        }
    }
    found
}

/// Asks with bytes of the target that a library would not send.
async fn raw(test: &TestApp, user: &User, method: &Method, target: &str, body: &str) -> Option<Answer> {
    // What is not even a URI never gets to a route.
    target.parse::<http::Uri>().ok()?;
    Some(test.call(user, method.clone(), target, Body::from(body.to_owned())).await)
}
