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

use crate::http::Takes::{Edit, Manage, Read, Somebody};
use crate::http::routes::{Routes, delete, get, patch, post};

pub(super) fn routes() -> Routes {
    Routes::new()
        .route("/registered-models/create", post(Edit, create::handler))
        .route("/registered-models/get", get(Read, get::handler))
        .route("/registered-models/search", get(Somebody, search::handler))
        .route("/registered-models/update", patch(Edit, update::handler))
        .route("/registered-models/rename", post(Manage, rename::handler))
        .route("/registered-models/delete", delete(Manage, self::delete::handler))
        .route("/registered-models/set-tag", post(Edit, set_tag::handler))
        .route("/registered-models/delete-tag", delete(Edit, delete_tag::handler))
        .route(
            "/registered-models/get-latest-versions",
            get(Read, get_latest_versions::handler).post(Read, get_latest_versions::handler),
        )
        .route(
            "/registered-models/alias",
            get(Read, get_alias::handler).post(Edit, set_alias::handler).delete(Edit, delete_alias::handler),
        )
}
