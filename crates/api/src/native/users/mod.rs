mod create;

use axum::Router;
use axum::routing::post;

use crate::http::ApiState;

pub(super) fn routes() -> Router<ApiState> {
    Router::new().route("/users", post(create::handler))
}
