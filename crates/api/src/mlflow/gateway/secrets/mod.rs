mod create;
mod delete;
mod get;
mod list;
mod update;
mod view;

use crate::http::Takes::{Edit, Manage, Read, Somebody};
use crate::http::routes::{Routes, delete, get, post};

pub(super) fn routes() -> Routes {
    Routes::new()
        .route("/gateway/secrets/create", post(Edit, create::handler))
        .route("/gateway/secrets/get", get(Read, self::get::handler))
        .route("/gateway/secrets/update", post(Edit, update::handler))
        .route("/gateway/secrets/delete", delete(Manage, self::delete::handler))
        .route("/gateway/secrets/list", get(Somebody, list::handler))
}
