//! What anybody may ask.

use axum::response::Response;
use sealyard_serving::protocol::mlflow;

use super::answer;

pub(super) async fn ping() -> Response {
    answer(mlflow::ping())
}

pub(super) async fn version() -> Response {
    answer(mlflow::version())
}
