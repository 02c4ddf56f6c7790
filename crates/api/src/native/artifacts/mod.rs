mod collect;

use crate::http::Takes::Administrator;
use crate::http::routes::{Routes, post};

pub(super) fn routes() -> Routes {
    Routes::new().route("/artifacts/collect", post(Administrator, collect::handler))
}
