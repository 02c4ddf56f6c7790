mod checkpoint;
mod consistency;
mod entries;
mod erase;
mod export;
mod proof;
mod reindex;
mod search;
mod tiles;

use crate::http::Takes::Administrator;
use crate::http::routes::{Routes, get, post};

pub(super) fn routes() -> Routes {
    Routes::new()
        .route("/ledger/checkpoint", get(Administrator, checkpoint::handler))
        .route("/ledger/entries", get(Administrator, entries::handler))
        .route("/ledger/search", get(Administrator, search::handler))
        .route("/ledger/proof", get(Administrator, proof::handler))
        .route("/ledger/consistency", get(Administrator, consistency::handler))
        .route("/ledger/export", get(Administrator, export::handler))
        .route("/ledger/erase", post(Administrator, erase::handler))
        .route("/ledger/reindex", post(Administrator, reindex::handler))
        .route("/ledger/tlog/checkpoint", get(Administrator, tiles::checkpoint))
        .route("/ledger/tlog/tile/{*path}", get(Administrator, tiles::tile))
}
