mod decide;
mod deploy;
mod publish;

use axum::Router;
use axum::routing::post;

use crate::http::ApiState;

pub(super) fn routes() -> Router<ApiState> {
    Router::new()
        .route("/publish", post(publish::handler))
        .route("/deployments", post(deploy::handler))
        .route("/decisions", post(decide::handler))
}
