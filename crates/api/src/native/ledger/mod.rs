mod checkpoint;
mod entries;

use crate::http::Takes::Administrator;
use crate::http::routes::{Routes, get};

pub(super) fn routes() -> Routes {
    Routes::new()
        .route("/ledger/checkpoint", get(Administrator, checkpoint::handler))
        .route("/ledger/entries", get(Administrator, entries::handler))
}
