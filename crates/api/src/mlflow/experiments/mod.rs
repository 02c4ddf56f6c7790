mod create;
mod delete;
mod delete_tag;
mod get;
mod get_by_name;
mod restore;
mod search;
mod set_tag;
mod update;

use axum::Router;
use axum::routing::{get, post};

use crate::http::ApiState;

pub(super) fn routes() -> Router<ApiState> {
    Router::new()
        .route("/experiments/create", post(create::handler))
        .route("/experiments/get", get(get::handler))
        .route("/experiments/get-by-name", get(get_by_name::handler))
        .route("/experiments/search", get(search::handler).post(search::handler))
        .route("/experiments/update", post(update::handler))
        .route("/experiments/delete", post(delete::handler))
        .route("/experiments/restore", post(restore::handler))
        .route("/experiments/set-experiment-tag", post(set_tag::handler))
        .route("/experiments/delete-experiment-tag", post(delete_tag::handler))
}
