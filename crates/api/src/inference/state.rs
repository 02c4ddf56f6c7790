use std::sync::{Arc, PoisonError, RwLock};

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::header::AUTHORIZATION;
use sealyard_core::{Digest, Redacted};
use sealyard_serving::Model;
use sealyard_serving::protocol::mlflow::Limits;
use tokio::sync::Semaphore;

use crate::http::{ApiError, ErrorCode, RouterConfig};

/// The model that answers, to be exchanged as a whole while requests run. A request keeps the one it began with.
#[derive(Debug, Clone)]
pub struct ModelHandle(Arc<RwLock<Arc<Model>>>);

impl ModelHandle {
    /// Holds `model`.
    #[must_use]
    pub fn new(model: Model) -> Self {
        Self(Arc::new(RwLock::new(Arc::new(model))))
    }

    /// The one that answers now.
    #[must_use]
    pub fn current(&self) -> Arc<Model> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Lets another one answer from now on.
    pub fn replace(&self, model: Model) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(model);
    }
}

/// What a model server's handlers share.
#[derive(Debug, Clone)]
pub struct ServingState {
    model: ModelHandle,
    limits: Arc<Limits>,
    config: Arc<RouterConfig>,
    places: Arc<Semaphore>,
    token: Option<Digest>,
}

impl ServingState {
    /// Serves `model` under the names of `config`, open to whoever reaches it; at most 64 requests at once.
    #[must_use]
    pub fn new(model: ModelHandle, config: RouterConfig) -> Self {
        let places = Arc::new(Semaphore::new(64));
        Self { model, limits: Arc::new(Limits::default()), config: Arc::new(config), places, token: None }
    }

    /// Only for who shows this token.
    #[must_use]
    pub fn with_token(mut self, token: &Redacted<String>) -> Self {
        self.token = Some(Digest::of(token.expose().as_bytes()));
        self
    }

    /// With other bounds.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = Arc::new(limits);
        self
    }

    /// With so many requests at once; others are told to come again.
    #[must_use]
    pub fn with_concurrency(mut self, requests: usize) -> Self {
        self.places = Arc::new(Semaphore::new(requests));
        self
    }

    pub(super) fn model(&self) -> Arc<Model> {
        self.model.current()
    }

    pub(super) fn limits(&self) -> Arc<Limits> {
        Arc::clone(&self.limits)
    }

    pub(super) fn config(&self) -> &RouterConfig {
        &self.config
    }

    pub(super) fn places(&self) -> Arc<Semaphore> {
        Arc::clone(&self.places)
    }
}

/// Digests are compared, so that the time it takes tells nothing of the token.
pub(super) async fn require_token(State(state): State<ServingState>, request: Request, next: Next) -> Response {
    let Some(wanted) = state.token else { return next.run(request).await };
    let shown = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = shown.and_then(|text| text.split_once(' ')).filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    if token.is_some_and(|(_, token)| Digest::of(token.trim().as_bytes()) == wanted) {
        return next.run(request).await;
    }
    ApiError::new(ErrorCode::Unauthenticated, "the token is not valid").into_response()
}
