mod info;

use axum::Router;
use axum::routing::get;

use crate::http::ApiState;

pub(super) fn routes() -> Router<ApiState> {
    Router::new().route("/server-info", get(info::handler))
}
