//! `GET /metrics`: counts of what was answered, for Prometheus, on a listener of its own.
//!
//! Beside it there is `/health` and `/version`, and nothing else. What is counted is named by route templates, not by names of
//! people or models.

use std::sync::Arc;

use ::http::HeaderMap;
use ::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use sealyard_app::App;
use sealyard_core::{Digest, Redacted};
use sealyard_transport::{Gauges, Metrics};

use crate::http::{self, ApiError, ErrorCode, OverTls, RouterConfig};

/// What the listener of the counts has.
#[derive(Debug, Clone)]
pub struct MetricsState {
    app: Arc<App>,
    metrics: Arc<Metrics>,
    config: Arc<RouterConfig>,
    token: Option<Digest>,
    version: &'static str,
    certificates: Arc<dyn Certificates>,
}

/// Who knows when the listeners' certificates end.
pub trait Certificates: std::fmt::Debug + Send + Sync {
    /// The name of each listener, and the second, since 1970, at which its certificate ends.
    fn expiries(&self) -> Vec<(String, i64)>;
}

impl MetricsState {
    /// For the server of `app`.
    #[must_use]
    pub fn new(
        app: Arc<App>,
        metrics: Arc<Metrics>,
        certificates: Arc<dyn Certificates>,
        config: RouterConfig,
        version: &'static str,
    ) -> Self {
        Self { app, metrics, config: Arc::new(config), token: None, version, certificates }
    }

    /// Answers only to who shows this as a bearer token.
    #[must_use]
    pub fn with_token(mut self, token: &Redacted<String>) -> Self {
        self.token = Some(Digest::of(token.expose().as_bytes()));
        self
    }
}

/// All routes of that listener.
#[allow(clippy::disallowed_methods, reason = "a listener of its own, with one token for the one thing it does")]
pub fn metrics_router(state: MetricsState) -> Router {
    let tls = OverTls(state.config.tls());
    Router::new()
        .route("/metrics", get(metrics))
        .route("/health", get(health))
        .route("/version", get(version))
        .fallback(http::not_found)
        .method_not_allowed_fallback(http::method_not_allowed)
        .layer(from_fn_with_state(state.clone(), own_name))
        .layer(from_fn_with_state(tls, http::headers))
        .with_state(state)
}

async fn health() -> &'static str {
    "OK"
}

async fn version() -> &'static str {
    crate::mlflow::PROTOCOL_VERSION
}

/// A page that a browser was led to by a rebound name reads nothing.
async fn own_name(State(state): State<MetricsState>, request: Request, next: Next) -> Response {
    match http::check_origin(&state.config, &request) {
        Ok(()) => next.run(request).await,
        Err(error) => error.into_response(),
    }
}

async fn metrics(State(state): State<MetricsState>, headers: HeaderMap) -> Response {
    if let Some(expected) = &state.token {
        let shown = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let shown = shown.and_then(|text| text.strip_prefix("Bearer "));
        // Compared by digest: where two differ tells nothing of either.
        if shown.is_none_or(|token| Digest::of(token.trim().as_bytes()) != *expected) {
            return ApiError::new(ErrorCode::Unauthenticated, "this takes the token of the listener").into_response();
        }
    }
    let figures = state.app.figures().await;
    if let Err(error) = &figures {
        tracing::warn!(error = %sealyard_core::with_causes(error), "figures for the metrics could not be read");
    }
    let figures = figures.ok();
    let gauges = Gauges {
        version: state.version,
        protocol: crate::mlflow::PROTOCOL_VERSION,
        sessions: figures.map(|figures| figures.sessions),
        ledger_entries: figures.map(|figures| figures.ledger_entries),
        certificates: state.certificates.expiries(),
    };
    ([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], state.metrics.text(&gauges)).into_response()
}
