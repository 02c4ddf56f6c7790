//! The model server's routes, over a model that a real load gate let through.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::path::Path;

use axum::body::Body;
use http::{Request, StatusCode};
use http_body_util::BodyExt as _;
use sealyard_api::RouterConfig;
use sealyard_api::inference::{ModelHandle, ServingState, router};
use sealyard_core::{Digest, FileEntry, FileTree, Redacted, Subject, SystemRng, Timestamp, TreePath};
use sealyard_evidence::predicate::Deployment;
use sealyard_evidence::{Bundle, Curve, SigningKey, Statement, oms, verify};
use sealyard_gate::{Context, Policy, Request as Question, Stage, decide};
use sealyard_serving::protocol::mlflow::Limits;
use sealyard_serving::{FileSource, Model};
use serde_json::{Value, json};
use tower::ServiceExt as _;

const POLICY: &str = r#"
version = 1
[keys]
key = "key.pub"
[load]
deployed_by = ["key"]
signed_by = ["key"]
scan = "not required"
provenance = "not required"
"#;

struct Files(BTreeMap<&'static str, Vec<u8>>);

impl FileSource for Files {
    fn open(&self, path: &TreePath) -> io::Result<Box<dyn Read + '_>> {
        let bytes = self.0.get(path.as_str()).ok_or(io::ErrorKind::NotFound)?;
        Ok(Box::new(bytes.as_slice()))
    }
}

fn fixture(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../serving/tests/fixtures/ridge");
    std::fs::read(folder.join(name)).unwrap()
}

fn ridge() -> Model {
    let description = "flavors:\n  python_function:\n    loader_module: mlflow.sklearn\n    model_path: model.pkl\n  sklearn:\n    \
                       pickled_model: model.pkl\n    serialization_format: pickle\n";
    let files = Files(BTreeMap::from([("MLmodel", description.into()), ("model.pkl", fixture("pickle4.pkl"))]));
    let entry = |(path, bytes): (&&str, &Vec<u8>)| FileEntry {
        path: TreePath::new(path).unwrap(),
        size: bytes.len() as u64,
        digest: Digest::of(bytes),
        executable: false,
    };
    let tree = FileTree::new(files.0.iter().map(entry)).unwrap();
    let key = SigningKey::generate(Curve::P256, &SystemRng).unwrap();
    let policy = Policy::parse(POLICY, &|_| Ok(key.public_key().to_pem())).unwrap();
    let now = Timestamp::from_millis(1_800_000_000_000);
    let subject = Subject { name: "models:/m/1".into(), digest: tree.digest() };
    let scopes = BTreeMap::from([(Deployment::ENVIRONMENT_SCOPE.to_owned(), "test".to_owned())]);
    let deployment = Deployment { creation_time: now, scopes, decision_details: None, break_glass: None };
    let statement = Statement::new(std::slice::from_ref(&subject), &deployment).unwrap();
    let bundles = [oms::sign(&tree, "m", &key).unwrap(), Bundle::sign(&statement, &key).unwrap()];
    let evidence: Vec<_> = bundles.iter().map(|bundle| verify(bundle, policy.trusted_keys()).unwrap()).collect();
    let context = Context { environment: Some("test".to_owned()), ..Context::at(now) };
    let question = Question { subject, tree: &tree, stage: Stage::Load, context };
    let verified = decide(&question, &evidence, &[], &policy).into_verified_model(tree).unwrap();
    Model::load(&verified, &files).unwrap()
}

fn state() -> ServingState {
    ServingState::new(ModelHandle::new(ridge()), RouterConfig::loopback())
}

async fn ask(
    state: &ServingState,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: String,
) -> (StatusCode, Value) {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = router(state.clone()).oneshot(request.body(Body::from(body)).unwrap()).await.unwrap();
    let status = response.status();
    assert_eq!(response.headers()["x-content-type-options"], "nosniff");
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    (status, serde_json::from_slice(&bytes).unwrap_or_else(|_| json!(String::from_utf8_lossy(&bytes))))
}

const HOST: (&str, &str) = ("host", "localhost:5001");
const JSON: (&str, &str) = ("content-type", "application/json");

#[tokio::test]
async fn predictions_are_scikit_learns() {
    let expected: Value = serde_json::from_slice(&fixture("expected.json")).unwrap();
    let body = json!({ "inputs": expected["rows"] }).to_string();
    let (status, answer) = ask(&state(), "POST", "/invocations", &[HOST, JSON], body).await;
    assert_eq!(status, 200, "{answer}");
    let pairs = answer["predictions"].as_array().unwrap().iter().zip(expected["predictions"].as_array().unwrap());
    for (found, wanted) in pairs {
        let (found, wanted) = (found.as_f64().unwrap(), wanted.as_f64().unwrap());
        assert!((found - wanted).abs() < 1e-9 * wanted.abs().max(1.0), "{found} {wanted}");
    }
    for path in ["/ping", "/health"] {
        assert_eq!(ask(&state(), "GET", path, &[HOST], String::new()).await, (StatusCode::OK, json!("\n")));
    }
    assert_eq!(ask(&state(), "GET", "/version", &[HOST], String::new()).await.0, 200);
    assert_eq!(ask(&state(), "GET", "/x", &[HOST], String::new()).await.0, 404);
    assert_eq!(ask(&state(), "GET", "/invocations", &[HOST], String::new()).await.0, 405);
}

#[tokio::test]
async fn bad_requests_are_told_so() {
    let row = json!({ "inputs": [[1.0]] }).to_string();
    assert_eq!(ask(&state(), "POST", "/invocations", &[HOST], row.clone()).await.0, 415);
    assert_eq!(ask(&state(), "POST", "/invocations", &[HOST, JSON], row.clone()).await.0, 400);
    let small = state().with_limits(Limits { body: 10, ..Limits::default() });
    assert_eq!(ask(&small, "POST", "/invocations", &[HOST, JSON], row.clone()).await.0, 413);
    let full = state().with_concurrency(0);
    assert_eq!(ask(&full, "POST", "/invocations", &[HOST, JSON], row).await.0, 503);
}

#[tokio::test]
async fn other_names_and_origins_are_refused() {
    let evil = ("host", "evil.example");
    let (status, answer) = ask(&state(), "GET", "/ping", &[evil], String::new()).await;
    assert_eq!((status, &answer["rules"]), (StatusCode::FORBIDDEN, &json!(["http.host"])));
    let origin = ("origin", "https://evil.example");
    let (status, answer) = ask(&state(), "POST", "/invocations", &[HOST, JSON, origin], "{}".into()).await;
    assert_eq!((status, &answer["rules"]), (StatusCode::FORBIDDEN, &json!(["http.origin"])));
}

#[tokio::test]
async fn with_a_token_only_its_holder_is_answered() {
    let state = state().with_token(&Redacted::new("secret".to_owned()));
    for shown in [None, Some("Bearer wrong"), Some("Basic secret"), Some("secret"), Some("Bearer ")] {
        let mut headers = vec![HOST, JSON];
        headers.extend(shown.map(|shown| ("authorization", shown)));
        assert_eq!(ask(&state, "POST", "/invocations", &headers, "{}".into()).await.0, 401, "{shown:?}");
    }
    let headers = [HOST, JSON, ("authorization", "Bearer secret")];
    assert_eq!(ask(&state, "POST", "/invocations", &headers, "{}".into()).await.0, 400);
    assert_eq!(ask(&state, "GET", "/ping", &[HOST], String::new()).await.0, 200);
}

#[tokio::test]
async fn another_model_takes_over() {
    let handle = ModelHandle::new(ridge());
    let before = handle.current();
    handle.replace(ridge());
    assert!(!std::sync::Arc::ptr_eq(&before, &handle.current()));
}
