mod create;
mod delete;
mod delete_alias;
mod delete_tag;
mod get;
mod get_alias;
mod get_latest_versions;
mod rename;
mod search;
mod set_alias;
mod set_tag;
mod update;

use axum::Router;
use axum::routing::{delete, get, patch, post};

use crate::http::ApiState;

pub(super) fn routes() -> Router<ApiState> {
    Router::new()
        .route("/registered-models/create", post(create::handler))
        .route("/registered-models/get", get(get::handler))
        .route("/registered-models/search", get(search::handler))
        .route("/registered-models/update", patch(update::handler))
        .route("/registered-models/rename", post(rename::handler))
        .route("/registered-models/delete", delete(self::delete::handler))
        .route("/registered-models/set-tag", post(set_tag::handler))
        .route("/registered-models/delete-tag", delete(delete_tag::handler))
        .route(
            "/registered-models/get-latest-versions",
            get(get_latest_versions::handler).post(get_latest_versions::handler),
        )
        .route(
            "/registered-models/alias",
            get(get_alias::handler).post(set_alias::handler).delete(delete_alias::handler),
        )
}
