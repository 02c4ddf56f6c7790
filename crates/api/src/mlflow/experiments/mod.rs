mod create;
mod delete;
mod delete_tag;
pub(super) mod get;
mod get_by_name;
mod restore;
mod search;
pub(super) mod search_datasets;
mod set_tag;
mod update;

use crate::http::Takes::{Edit, Manage, Read, Somebody};
use crate::http::routes::{Routes, get, post};

pub(super) fn routes() -> Routes {
    Routes::new()
        .route("/experiments/create", post(Edit, create::handler))
        .route("/experiments/get", get(Read, get::handler))
        .route("/experiments/get-by-name", get(Read, get_by_name::handler))
        .route("/experiments/search", get(Somebody, search::handler).post(Somebody, search::handler))
        .route("/experiments/search-datasets", post(Read, search_datasets::handler))
        .route("/experiments/update", post(Edit, update::handler))
        .route("/experiments/delete", post(Manage, delete::handler))
        .route("/experiments/restore", post(Manage, restore::handler))
        .route("/experiments/set-experiment-tag", post(Edit, set_tag::handler))
        .route("/experiments/delete-experiment-tag", post(Edit, delete_tag::handler))
}
