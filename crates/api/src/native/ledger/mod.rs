mod checkpoint;
mod entries;

use axum::Router;
use axum::routing::get;

use crate::http::ApiState;

pub(super) fn routes() -> Router<ApiState> {
    Router::new().route("/ledger/checkpoint", get(checkpoint::handler)).route("/ledger/entries", get(entries::handler))
}
