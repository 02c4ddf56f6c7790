mod create;
mod delete;
mod delete_tag;
mod get;
mod get_download_uri;
pub(super) mod search;
mod set_tag;
mod transition_stage;
mod update;

use crate::http::Takes::{Edit, Manage, Read, Somebody};
use crate::http::routes::{Routes, delete, get, patch, post};

pub(super) fn routes() -> Routes {
    Routes::new()
        .route("/model-versions/create", post(Edit, create::handler))
        .route("/model-versions/get", get(Read, get::handler))
        .route("/model-versions/get-download-uri", get(Read, get_download_uri::handler))
        .route("/model-versions/search", get(Somebody, search::handler))
        .route("/model-versions/update", patch(Edit, update::handler))
        .route("/model-versions/delete", delete(Manage, self::delete::handler))
        .route("/model-versions/set-tag", post(Edit, set_tag::handler))
        .route("/model-versions/transition-stage", post(Edit, transition_stage::handler))
        .route("/model-versions/delete-tag", delete(Edit, delete_tag::handler))
}
