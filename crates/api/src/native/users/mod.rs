mod create;

use crate::http::Takes::Administrator;
use crate::http::routes::{Routes, post};

pub(super) fn routes() -> Routes {
    Routes::new().route("/users", post(Administrator, create::handler))
}
