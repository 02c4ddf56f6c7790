use std::path::Path;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes};
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::BodyExt as _;
use sealyard_api::{Pages, RouterConfig};
use sealyard_app::{App, Caller, Credentials, Parts, ServerKeys};
use sealyard_core::{Clock, FixedClock, Redacted, Rng, SystemRng, Timestamp};
use sealyard_identity::PrincipalName;
use sealyard_identity_oidc::Providers;
use sealyard_ledger::LedgerKey;
use sealyard_outbound::{AllowList, Lookup, Outbound, Resolver};
use sealyard_store::Store;
use sealyard_store_sql::{SqliteOptions, SqliteStore};
use sealyard_vault::{Keyring, Vault};
use serde_json::{Value, json};
use tower::ServiceExt as _;

pub(crate) const PASSWORD: &str = "correct horse battery";

/// A server without a network, and its first administrator.
pub(crate) struct TestApp {
    folder: tempfile::TempDir,
    kept: Vec<tempfile::TempDir>,
    router: Router,
    pub(crate) clock: Arc<FixedClock>,
    pub(crate) app: Arc<App>,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) admin: User,
}

/// Somebody with a token, or nobody.
#[derive(Debug, Clone)]
pub(crate) struct User(Option<String>);

pub(crate) const NOBODY: User = User(None);

impl User {
    pub(crate) fn with_token(token: &str) -> Self {
        Self(Some(token.to_owned()))
    }
}

impl User {
    /// The header that proves it.
    pub(crate) fn authorization(&self) -> String {
        format!("Bearer {}", self.0.as_deref().unwrap())
    }
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) bytes: Result<Bytes, axum::Error>,
}

/// Says of every name that it is an inner address.
#[derive(Debug)]
struct InnerNames;

impl Resolver for InnerNames {
    fn resolve<'a>(&'a self, _: &'a str) -> Lookup<'a> {
        Box::pin(async { Ok(vec![std::net::IpAddr::from([10, 0, 0, 1])]) })
    }
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(self.bytes.as_ref().unwrap()).unwrap_or(Value::Null)
    }

    /// The answer, which must be a success.
    #[track_caller]
    pub(crate) fn ok(self) -> Value {
        assert!(self.status.is_success(), "{} {}", self.status, self.json());
        self.json()
    }

    /// The message of the answer, which must be this error.
    #[track_caller]
    pub(crate) fn error(self, status: u16, code: &str) -> String {
        let body = self.json();
        assert_eq!((self.status.as_u16(), body["error_code"].as_str()), (status, Some(code)), "{body}");
        body["message"].as_str().unwrap().to_owned()
    }
}

impl TestApp {
    pub(crate) async fn new() -> Self {
        Self::with_config(RouterConfig::loopback()).await
    }

    pub(crate) async fn with_config(config: RouterConfig) -> Self {
        Self::with_providers(config, None).await
    }

    /// A test server at which one can log in by these too.
    pub(crate) async fn with_providers(config: RouterConfig, providers: Option<Providers>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(FixedClock::at(Timestamp::from_millis(1_800_000_000_000)));
        let dynamic: Arc<dyn Clock> = clock.clone();
        let rng: Arc<dyn Rng> = Arc::new(SystemRng);
        let options = SqliteOptions::new(Arc::clone(&dynamic));
        let store: Arc<dyn Store> = Arc::new(SqliteStore::open(&folder.path().join("catalog.db"), options).unwrap());
        let keyring = Keyring::open_or_create(&folder.path().join("master.key"), &*rng).unwrap();
        let vault = Vault::open_or_create(&folder.path().join("vault"), keyring, Arc::clone(&rng)).unwrap();
        let parts = Parts {
            store: Arc::clone(&store),
            vault: Arc::new(vault),
            clock: dynamic,
            rng: Arc::clone(&rng),
            keys: ServerKeys::open_or_create(folder.path(), &*rng).unwrap(),
            ledger_key: LedgerKey::generate("test", &*rng).unwrap(),
            policy: None,
        };
        // Receivers of webhooks are on this machine.
        let outbound = Outbound::new(AllowList::parse(["127.0.0.1"]).unwrap()).with_resolver(Arc::new(InnerNames));
        let mut app = App::new(parts).await.unwrap().with_outbound(outbound);
        if let Some(providers) = providers {
            app = app.with_oidc(providers);
        }
        let app = Arc::new(app);
        let name = PrincipalName::new("admin").unwrap();
        app.first_administrator(name, Some(Redacted::new(PASSWORD.to_owned()))).await.unwrap();
        let router = sealyard_api::router(Arc::clone(&app), config.with_max_artifact_bytes(1 << 20));
        let mut test = Self { folder, kept: Vec::new(), router, clock, app, store, admin: NOBODY };
        test.admin = test.token_of("admin", "all").await;
        test
    }

    /// With other rules for its accounts.
    pub(crate) fn with_account_rules(mut self, rules: sealyard_app::AccountRules) -> Self {
        self.app = Arc::new((*self.app).clone().with_account_rules(rules));
        self.router = sealyard_api::router(Arc::clone(&self.app), RouterConfig::loopback());
        self
    }

    /// A test server with a small UI.
    pub(crate) async fn with_pages(tls: bool) -> Self {
        Self::with_pages_and(tls, None).await
    }

    /// The same, with these providers.
    pub(crate) async fn with_pages_and(tls: bool, providers: Option<Providers>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join("static/js")).unwrap();
        std::fs::write(folder.path().join("index.html"), "<!doctype html>the UI").unwrap();
        std::fs::write(folder.path().join("static/js/main.js"), "run()").unwrap();
        let config = RouterConfig::loopback().with_tls(tls).with_pages(Pages::read(folder.path()).unwrap());
        let mut test = Self::with_providers(config, providers).await;
        test.keep(folder);
        test
    }

    /// Keeps a folder for as long as the server.
    pub(crate) fn keep(&mut self, folder: tempfile::TempDir) {
        self.kept.push(folder);
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Who a token is of, for asking the application itself.
    pub(crate) async fn caller(&self, user: &User) -> Caller {
        let token = Credentials::Token(Redacted::new(user.0.clone().unwrap()));
        self.app.authenticate(token, None, None).await.unwrap()
    }

    /// A token of a user, made with the password.
    pub(crate) async fn token_of(&self, name: &str, scope: &str) -> User {
        use base64::Engine as _;
        let basic = base64::engine::general_purpose::STANDARD.encode(format!("{name}:{PASSWORD}"));
        let request = Request::post("/api/sealyard/v1/tokens")
            .header("host", "localhost")
            .header("authorization", format!("Basic {basic}"))
            .body(Body::from(json!({ "scopes": [scope] }).to_string()))
            .unwrap();
        User(Some(self.send(request).await.ok()["token"].as_str().unwrap().to_owned()))
    }

    /// A new user with these grants, as `(resource, right)`.
    pub(crate) async fn user(&self, name: &str, grants: &[(&str, &str)]) -> User {
        let new = json!({ "name": name, "password": PASSWORD });
        self.post(&self.admin, "/api/sealyard/v1/users", new).await.ok();
        for (resource, right) in grants {
            self.grant(name, resource, right).await;
        }
        self.token_of(name, "all").await
    }

    pub(crate) async fn grant(&self, name: &str, resource: &str, right: &str) {
        let grant = json!({ "user": name, "resource": resource, "right": right, "absent": true });
        self.post(&self.admin, "/api/sealyard/v1/grants", grant).await.ok();
    }

    /// An answer whose body nobody has taken yet.
    pub(crate) async fn answer(&self, request: Request<Body>) -> http::Response<Body> {
        self.router.clone().oneshot(request).await.unwrap()
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let (parts, body) = self.answer(request).await.into_parts();
        let bytes = body.collect().await.map(http_body_util::Collected::to_bytes);
        Answer { status: parts.status, headers: parts.headers, bytes }
    }

    pub(crate) async fn call(&self, user: &User, method: Method, path: &str, body: impl Into<Body>) -> Answer {
        let request = Request::builder().method(method).uri(path).header("host", "localhost:5000");
        self.as_user(user, request, body.into()).await
    }

    /// With headers and a body.
    pub(crate) async fn send_with(
        &self,
        user: &User,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Body>,
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(path).header("host", "localhost:5000");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.as_user(user, request, body.into()).await
    }

    /// With headers, and without a body.
    pub(crate) async fn call_with(&self, user: &User, method: Method, path: &str, headers: &[(&str, &str)]) -> Answer {
        let mut request = Request::builder().method(method).uri(path).header("host", "localhost:5000");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.as_user(user, request, Body::empty()).await
    }

    async fn as_user(&self, user: &User, mut request: http::request::Builder, body: Body) -> Answer {
        if let Some(token) = &user.0 {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        self.send(request.body(body).unwrap()).await
    }

    pub(crate) async fn get(&self, user: &User, path: &str) -> Answer {
        self.call(user, Method::GET, path, Body::empty()).await
    }

    pub(crate) async fn post(&self, user: &User, path: &str, body: Value) -> Answer {
        self.call(user, Method::POST, path, body.to_string()).await
    }

    /// `POST` below MLflow's root.
    pub(crate) async fn mlflow(&self, user: &User, path: &str, body: Value) -> Answer {
        self.post(user, &format!("/api/2.0/mlflow/{path}"), body).await
    }

    /// `GET` below MLflow's root.
    pub(crate) async fn ask(&self, user: &User, path: &str) -> Answer {
        self.get(user, &format!("/api/2.0/mlflow/{path}")).await
    }

    pub(crate) async fn upload(&self, user: &User, path: &str, content: impl Into<Body>) -> Answer {
        self.call(user, Method::PUT, &format!("/api/2.0/mlflow-artifacts/artifacts/{path}"), content).await
    }

    pub(crate) async fn experiment(&self, user: &User, name: &str) -> String {
        let made = self.mlflow(user, "experiments/create", json!({ "name": name })).await.ok();
        made["experiment_id"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn run(&self, user: &User, experiment: &str) -> String {
        let made = self.mlflow(user, "runs/create", json!({ "experiment_id": experiment })).await.ok();
        made["run"]["info"]["run_id"].as_str().unwrap().to_owned()
    }

    /// A trace without spans, with a tag `t`.
    pub(crate) async fn trace(&self, user: &User, experiment: &str, id: &str) -> Value {
        let info = json!({
            "trace_id": id, "request_time": "2026-01-01T00:00:00.500Z", "execution_duration": "1.5s", "state": "OK",
            "trace_location": {"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": experiment}},
            "trace_metadata": {"m": "1"}, "tags": {"t": "1"},
        });
        let made = self.post(user, "/api/3.0/mlflow/traces", json!({"trace": {"trace_info": info}})).await.ok();
        made["trace"]["trace_info"].clone()
    }

    /// Spans by OpenTelemetry's endpoint, in JSON.
    pub(crate) async fn spans(&self, user: &User, experiment: &str, spans: Value) -> Answer {
        let body = json!({"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]}).to_string();
        let headers = [("x-mlflow-experiment-id", experiment), ("content-type", "application/json")];
        self.send_with(user, Method::POST, "/v1/traces", &headers, body).await
    }

    /// A logged model with one harmless file, finalised.
    pub(crate) async fn logged_model(&self, user: &User, experiment: &str) -> String {
        let new = json!({ "experiment_id": experiment, "name": "model" });
        let made = self.mlflow(user, "logged-models", new).await.ok();
        let id = made["model"]["info"]["model_id"].as_str().unwrap().to_owned();
        self.upload(user, &format!("{experiment}/models/{id}/artifacts/MLmodel"), "flavors: {}\n").await.ok();
        self.finalise(user, &id).await.ok();
        id
    }

    pub(crate) async fn finalise(&self, user: &User, id: &str) -> Answer {
        let body = json!({ "model_id": id, "status": "LOGGED_MODEL_READY" }).to_string();
        self.call(user, Method::PATCH, &format!("/api/2.0/mlflow/logged-models/{id}"), body).await
    }

    /// A registered model with version 1.
    pub(crate) async fn version(&self, user: &User, name: &str, logged_model: &str) {
        self.mlflow(user, "registered-models/create", json!({ "name": name })).await.ok();
        let source = json!({ "name": name, "source": format!("models:/{logged_model}") });
        self.mlflow(user, "model-versions/create", source).await.ok();
    }

    /// What stands in the ledger, and waits to.
    pub(crate) async fn ledger(&self) -> Vec<Value> {
        while self.app.sequence().await.unwrap() > 0 {}
        let found = self.get(&self.admin, "/api/sealyard/v1/ledger/entries?limit=1000").await.ok();
        found["entries"].as_array().unwrap().iter().map(|entry| entry["event"].clone()).collect()
    }

    /// Whether the ledger has an event with these fields.
    #[track_caller]
    pub(crate) fn has(ledger: &[Value], fields: &Value) -> bool {
        let fields = fields.as_object().unwrap();
        ledger.iter().any(|event| fields.iter().all(|(name, value)| &event[name] == value))
    }
}
