mod create;
mod list;
mod revoke;

use crate::http::Takes::Somebody;
use crate::http::routes::{Routes, delete, get};

pub(super) fn routes() -> Routes {
    Routes::new()
        .route("/tokens", get(Somebody, list::handler).post(Somebody, create::handler))
        .route("/tokens/{id}", delete(Somebody, revoke::handler))
}
