use axum::Router;
use axum::routing::get;

use super::ApiState;

/// The routes that anybody may ask.
pub(super) fn routes() -> Router<ApiState> {
    Router::new().route("/health", get(health)).route("/ping", get(ping)).route("/version", get(version))
}

async fn health() -> &'static str {
    "OK"
}

async fn ping() -> &'static str {
    "\n"
}

/// The version of MLflow whose protocol this server speaks: clients compare it with their own.
async fn version() -> &'static str {
    crate::mlflow::PROTOCOL_VERSION
}
