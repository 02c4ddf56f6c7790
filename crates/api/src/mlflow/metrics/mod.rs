mod get_history;
mod get_history_bulk;
pub(super) mod get_history_bulk_interval;

use crate::http::Takes::Read;
use crate::http::routes::{Routes, get};

pub(super) fn routes() -> Routes {
    Routes::new()
        .route("/metrics/get-history", get(Read, get_history::handler))
        .route("/metrics/get-history-bulk", get(Read, get_history_bulk::handler))
        .route("/metrics/get-history-bulk-interval", get(Read, get_history_bulk_interval::handler))
}
