mod attach;
mod create;
mod delete;
mod delete_tag;
mod detach;
mod get;
mod input;
mod list;
mod set_tag;
mod update;
mod view;

use crate::http::Takes::{Edit, Manage, Read, Somebody};
use crate::http::routes::{Routes, delete, get, post};

pub(super) fn routes() -> Routes {
    Routes::new()
        .route("/gateway/endpoints/create", post(Edit, create::handler))
        .route("/gateway/endpoints/get", get(Read, self::get::handler))
        .route("/gateway/endpoints/update", post(Edit, update::handler))
        .route("/gateway/endpoints/delete", delete(Manage, self::delete::handler))
        .route("/gateway/endpoints/list", get(Somebody, list::handler))
        .route("/gateway/endpoints/models/attach", post(Edit, attach::handler))
        .route("/gateway/endpoints/models/detach", post(Edit, detach::handler))
        .route("/gateway/endpoints/set-tag", post(Edit, set_tag::handler))
        .route("/gateway/endpoints/delete-tag", delete(Edit, delete_tag::handler))
}
