mod rotate;
mod status;
mod work;

use crate::http::Takes::Administrator;
use crate::http::routes::{Routes, get, post};

pub(super) fn routes() -> Routes {
    Routes::new()
        .route("/vault", get(Administrator, status::handler))
        .route("/vault/rotate", post(Administrator, rotate::handler))
        .route("/vault/work", post(Administrator, work::handler))
}
