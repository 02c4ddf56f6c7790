mod get_history;

use crate::http::Takes::Read;
use crate::http::routes::{Routes, get};

pub(super) fn routes() -> Routes {
    Routes::new().route("/metrics/get-history", get(Read, get_history::handler))
}
