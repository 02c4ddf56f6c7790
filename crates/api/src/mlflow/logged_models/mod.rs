mod create;
mod delete;
mod delete_tag;
mod directories;
mod file;
mod finalise;
mod get;
mod log_params;
mod search;
mod set_tags;

use crate::http::Takes::{Edit, Manage, Read};
use crate::http::routes::{Routes, delete, get, patch, post};

pub(super) fn routes() -> Routes {
    Routes::new()
        .route("/logged-models", post(Edit, create::handler))
        .route("/logged-models/search", post(Read, search::handler))
        .route(
            "/logged-models/{model_id}",
            get(Read, get::handler).patch(Edit, finalise::handler).delete(Manage, delete::handler),
        )
        .route("/logged-models/{model_id}/tags", patch(Edit, set_tags::handler))
        .route("/logged-models/{model_id}/tags/{key}", delete(Edit, delete_tag::handler))
        .route("/logged-models/{model_id}/params", post(Edit, log_params::handler))
        .route("/logged-models/{model_id}/artifacts/directories", get(Read, directories::handler))
        .route("/logged-models/{model_id}/artifacts/files", get(Read, file::handler))
}
