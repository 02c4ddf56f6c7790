mod create;
mod delete;
mod list;
mod reset_second_factor;
mod show;
mod unlock;
mod update;

use crate::http::Takes::Administrator;
use crate::http::routes::{Routes, delete, get};

pub(super) fn routes() -> Routes {
    let one = get(Administrator, show::handler).patch(Administrator, update::handler);
    Routes::new()
        .route("/users", get(Administrator, list::handler).post(Administrator, create::handler))
        .route("/users/{name}", one.delete(Administrator, self::delete::handler))
        .route("/users/{name}/lock", delete(Administrator, unlock::handler))
        .route("/users/{name}/second-factor", delete(Administrator, reset_second_factor::handler))
}
