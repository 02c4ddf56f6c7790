mod create;
mod delete;
mod list;
mod members;
mod roles;
mod show;

use crate::http::Takes::Administrator;
use crate::http::routes::{Routes, get, put};

pub(super) fn routes() -> Routes {
    Routes::new()
        .route("/groups", get(Administrator, list::handler).post(Administrator, create::handler))
        .route("/groups/{name}", get(Administrator, show::handler).delete(Administrator, delete::handler))
        .route("/groups/{name}/members/{user}", put(Administrator, members::add).delete(Administrator, members::remove))
        .route("/groups/{name}/roles/{role}", put(Administrator, roles::add).delete(Administrator, roles::remove))
}
