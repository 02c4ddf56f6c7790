mod create;
mod list;
mod revoke;

use axum::Router;
use axum::routing::{delete, get};

use crate::http::ApiState;

pub(super) fn routes() -> Router<ApiState> {
    Router::new()
        .route("/tokens", get(list::handler).post(create::handler))
        .route("/tokens/{id}", delete(revoke::handler))
}
