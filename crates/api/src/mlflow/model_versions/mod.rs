mod create;
mod delete;
mod delete_tag;
mod get;
mod get_download_uri;
mod search;
mod set_tag;
mod transition_stage;
mod update;

use axum::Router;
use axum::routing::{delete, get, patch, post};

use crate::http::ApiState;

pub(super) fn routes() -> Router<ApiState> {
    Router::new()
        .route("/model-versions/create", post(create::handler))
        .route("/model-versions/get", get(get::handler))
        .route("/model-versions/get-download-uri", get(get_download_uri::handler))
        .route("/model-versions/search", get(search::handler))
        .route("/model-versions/update", patch(update::handler))
        .route("/model-versions/delete", delete(self::delete::handler))
        .route("/model-versions/set-tag", post(set_tag::handler))
        .route("/model-versions/transition-stage", post(transition_stage::handler))
        .route("/model-versions/delete-tag", delete(delete_tag::handler))
}
