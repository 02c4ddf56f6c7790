mod get_history;

use axum::Router;
use axum::routing::get;

use crate::http::ApiState;

pub(super) fn routes() -> Router<ApiState> {
    Router::new().route("/metrics/get-history", get(get_history::handler))
}
