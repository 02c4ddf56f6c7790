//! The model server's routes: `/invocations`, `/ping`, `/health` and `/version`, as MLflow's scoring server has them.
//!
//! The answers are made by [`sealyard_serving::protocol`]; in here are the bounds that HTTP needs: which names the server
//! goes by, who may ask, how large a body is and how many are worked on at once.

mod invocations;
mod open;
mod state;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use sealyard_serving::protocol::mlflow;

use crate::http::{self, ApiError};

pub use state::{ModelHandle, ServingState};

/// All routes of a model server.
#[allow(clippy::disallowed_methods, reason = "a server of its own, with one token for the one thing it does")]
pub fn router(state: ServingState) -> Router {
    Router::new()
        .route("/invocations", post(invocations::handler))
        .layer(from_fn_with_state(state.clone(), state::require_token))
        .route("/ping", get(open::ping))
        .route("/health", get(open::ping))
        .route("/version", get(open::version))
        .fallback(http::not_found)
        .method_not_allowed_fallback(http::method_not_allowed)
        .layer(from_fn_with_state(state.clone(), own_name))
        .layer(from_fn_with_state(http::OverTls(state.config().tls()), http::headers))
        .with_state(state)
}

async fn own_name(State(state): State<ServingState>, request: Request, next: Next) -> Response {
    match http::check_origin(state.config(), &request) {
        Ok(()) => next.run(request).await,
        Err(error) => error.into_response(),
    }
}

/// The pure answer as one of HTTP.
fn answer(response: mlflow::Response) -> Response {
    let built = ::http::Response::builder()
        .status(response.status)
        .header(::http::header::CONTENT_TYPE, response.content_type)
        .body(Body::from(response.body));
    built.unwrap_or_else(|error| ApiError::internal(error.to_string()).into_response())
}
