//! What the requests are about.

use axum::body::Body;
use http::Method;
use sealyard_api::Takes::Read;
use serde_json::{Value, json};

use super::{Row, routes, whole};
use crate::test_app::{TestApp, User};

/// Things to act on.
pub(super) struct Fixture {
    experiment: String,
    run: String,
    model: String,
    name: String,
    issue: String,
    trace: String,
    assessment: String,
    dataset: String,
    secret: String,
    definition: String,
    endpoint: String,
}

impl Fixture {
    pub(super) async fn new(test: &TestApp, number: usize) -> Self {
        let name = format!("n{number}");
        let experiment = test.experiment(&test.admin, &name).await;
        let run = test.run(&test.admin, &experiment).await;
        test.upload(&test.admin, &format!("{experiment}/{run}/artifacts/x"), "x").await.ok();
        let model = test.logged_model(&test.admin, &experiment).await;
        test.version(&test.admin, &name, &model).await;
        let issue = json!({"experiment_id": experiment, "name": "n", "description": "d"});
        let issue = test.post(&test.admin, "/api/3.0/mlflow/issues", issue).await.ok();
        let issue = issue["issue"]["issue_id"].as_str().unwrap().to_owned();
        let trace = format!("tr-{number}");
        test.trace(&test.admin, &experiment, &trace).await;
        let root = "/api/3.0/mlflow";
        let judged = json!({"assessment": {"assessment_name": "a", "feedback": {"value": 1}}});
        let judged = test.post(&test.admin, &format!("{root}/traces/{trace}/assessments"), judged).await.ok();
        let assessment = judged["assessment"]["assessment_id"].as_str().unwrap().to_owned();
        let dataset = json!({"name": name, "experiment_ids": [experiment]});
        let dataset = test.post(&test.admin, &format!("{root}/datasets/create"), dataset).await.ok();
        let dataset = dataset["dataset"]["dataset_id"].as_str().unwrap().to_owned();
        let scorer = json!({"experiment_id": experiment, "name": "judge", "serialized_scorer": "{}"});
        test.post(&test.admin, &format!("{root}/scorers/register"), scorer).await.ok();
        let gateway = async |path: &str, kind: &str, body: Value| {
            let made = test.post(&test.admin, &format!("{root}/gateway/{path}/create"), body).await.ok();
            made[kind][format!("{kind}_id")].as_str().unwrap().to_owned()
        };
        let secret = json!({"secret_name": name, "secret_value": {"api_key": "k"}, "provider": "openai"});
        let secret = gateway("secrets", "secret", secret).await;
        let definition = json!({"name": name, "secret_id": secret, "provider": "openai", "model_name": "m"});
        let definition = gateway("model-definitions", "model_definition", definition).await;
        let models = json!([{"model_definition_id": definition}]);
        let endpoint = json!({"name": name, "model_configs": models, "usage_tracking": false});
        let endpoint = gateway("endpoints", "endpoint", endpoint).await;
        Self { experiment, run, model, name, issue, trace, assessment, dataset, secret, definition, endpoint }
    }

    fn fill(&self, text: &str) -> String {
        let text = text.replace("{e}", &self.experiment).replace("{r}", &self.run);
        let text = text.replace("{m}", &self.model).replace("{n}", &self.name).replace("{t}", &self.trace);
        let text = text.replace("{s}", &self.secret).replace("{f}", &self.definition).replace("{g}", &self.endpoint);
        text.replace("{a}", &self.assessment).replace("{d}", &self.dataset).replace("{i}", &self.issue)
    }

    pub(super) async fn ask(&self, test: &TestApp, user: &User, root: &str, route: &Row) -> (u16, Value) {
        self.ask_in(test, user, root, route, None).await
    }

    pub(super) async fn ask_in(
        &self,
        test: &TestApp,
        user: &User,
        root: &str,
        route: &Row,
        workspace: Option<&str>,
    ) -> (u16, Value) {
        let (method, path, body, _) = route;
        let path = whole(root, path);
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let mut headers = vec![("x-mlflow-experiment-id", self.experiment.as_str())];
        headers.extend(workspace.map(|name| ("x-mlflow-workspace", name)));
        let answer = test.send_with(user, method, &self.fill(&path), &headers, Body::from(self.fill(body))).await;
        (answer.status.as_u16(), answer.json())
    }

    /// Ids of the same form that nothing has.
    pub(super) fn ghost(&self) -> Self {
        let other = |id: &str| id.chars().rev().collect::<String>();
        let behind = |id: &str, front: usize| format!("{}{}", &id[..front], other(&id[front..]));
        Self {
            experiment: "98".into(),
            run: other(&self.run),
            model: behind(&self.model, 2),
            name: "nothing".into(),
            issue: behind(&self.issue, self.issue.find('-').map_or(0, |at| at + 1)),
            trace: "tr-98".into(),
            assessment: behind(&self.assessment, 2),
            dataset: behind(&self.dataset, 2),
            secret: behind(&self.secret, 2),
            definition: behind(&self.definition, 2),
            endpoint: behind(&self.endpoint, 2),
        }
    }

    /// An answer without what differs between two things of one kind.
    pub(super) fn plain(&self, other: &Self, body: &Value) -> String {
        let mut text = body.to_string();
        for one in [self, other] {
            let gateway = [&one.secret, &one.definition, &one.endpoint];
            let ids = [&one.run, &one.model, &one.issue, &one.trace, &one.assessment, &one.dataset, &one.name];
            for id in ids.into_iter().chain(gateway) {
                text = text.replace(id.as_str(), "ID");
            }
        }
        let numbers = text.split(|character: char| character.is_ascii_digit()).filter(|part| !part.is_empty());
        numbers.collect::<Vec<_>>().join("#")
    }

    /// What an administrator is shown of it, in the default workspace.
    pub(super) async fn shown(&self, test: &TestApp) -> Vec<Value> {
        let mut all = Vec::new();
        for route in routes().filter(|route| route.0 == "GET" && route.3 == Read) {
            let (status, body) = self.ask(test, &test.admin, "/api", route).await;
            assert!(status < 500, "{route:?}");
            all.push(body);
        }
        all
    }
}
