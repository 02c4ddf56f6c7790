mod create;
mod delete;
mod list;
mod view;

use serde::Deserialize;

use crate::http::Takes::{Edit, Somebody};
use crate::http::routes::{Routes, delete, get, post};

pub(super) fn routes() -> Routes {
    Routes::new()
        .route("/gateway/endpoints/bindings/create", post(Edit, create::handler))
        .route("/gateway/endpoints/bindings/delete", delete(Edit, self::delete::handler))
        .route("/gateway/endpoints/bindings/list", get(Somebody, list::handler))
}

/// Which binding.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Request {
    endpoint_id: String,
    resource_type: String,
    resource_id: String,
}
