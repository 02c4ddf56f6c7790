mod explain;

use crate::http::Takes::Administrator;
use crate::http::routes::{Routes, post};

pub(super) fn routes() -> Routes {
    Routes::new().route("/runs/explain", post(Administrator, explain::handler))
}
