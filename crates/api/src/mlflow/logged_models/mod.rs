mod create;
mod delete;
mod delete_tag;
mod directories;
mod finalise;
mod get;
mod log_params;
mod search;
mod set_tags;

use axum::Router;
use axum::routing::{delete, get, patch, post};

use crate::http::ApiState;

pub(super) fn routes() -> Router<ApiState> {
    Router::new()
        .route("/logged-models", post(create::handler))
        .route("/logged-models/search", post(search::handler))
        .route("/logged-models/{model_id}", get(get::handler).patch(finalise::handler).delete(delete::handler))
        .route("/logged-models/{model_id}/tags", patch(set_tags::handler))
        .route("/logged-models/{model_id}/tags/{key}", delete(delete_tag::handler))
        .route("/logged-models/{model_id}/params", post(log_params::handler))
        .route("/logged-models/{model_id}/artifacts/directories", get(directories::handler))
}
