mod create;
mod get;
mod search;
mod update;

use crate::http::Takes::{Edit, Read, Somebody};
use crate::http::routes::{Routes, get, post};

pub(super) fn routes() -> Routes {
    Routes::new()
        .route("/issues", post(Edit, create::handler))
        .route("/issues/search", post(Somebody, search::handler))
        .route("/issues/{issue_id}", get(Read, get::handler).patch(Edit, update::handler))
}
