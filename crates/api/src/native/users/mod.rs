mod create;
mod delete;
mod list;
mod show;
mod update;

use crate::http::Takes::Administrator;
use crate::http::routes::{Routes, get};

pub(super) fn routes() -> Routes {
    let one = get(Administrator, show::handler).patch(Administrator, update::handler);
    Routes::new()
        .route("/users", get(Administrator, list::handler).post(Administrator, create::handler))
        .route("/users/{name}", one.delete(Administrator, delete::handler))
}
