mod create;
mod delete;
mod get;
mod list;
mod update;
mod view;

pub(super) use view::DefinitionView;

use crate::http::Takes::{Edit, Manage, Read, Somebody};
use crate::http::routes::{Routes, delete, get, post};

pub(super) fn routes() -> Routes {
    Routes::new()
        .route("/gateway/model-definitions/create", post(Edit, create::handler))
        .route("/gateway/model-definitions/get", get(Read, self::get::handler))
        .route("/gateway/model-definitions/update", post(Edit, update::handler))
        .route("/gateway/model-definitions/delete", delete(Manage, self::delete::handler))
        .route("/gateway/model-definitions/list", get(Somebody, list::handler))
}
