mod add_evidence;
mod evidence;
mod file;
mod manifest;

use axum::Router;
use axum::routing::get;

use crate::http::ApiState;

pub(super) fn routes() -> Router<ApiState> {
    Router::new()
        .route("/models/{name}/versions/{version}/manifest", get(manifest::handler))
        .route("/models/{name}/versions/{version}/evidence", get(evidence::handler).post(add_evidence::handler))
        .route("/models/{name}/versions/{version}/files/{*path}", get(file::handler))
}
