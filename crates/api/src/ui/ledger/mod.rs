//! The page of the ledger: searches, the log's state, and proofs that the browser checks itself.
//!
//! It is there for who may read the ledger; its scripts and style hold nothing and are there for everybody. What it shows it
//! asks of the native endpoints, as any other client.

mod assets;
mod show;

use crate::http::Takes::Nobody;
use crate::http::routes::{Routes, get};

pub(super) fn routes() -> Routes {
    Routes::new()
        // Who is nobody is sent on to the log-in page.
        .route("/ledger", get(Nobody, show::handler))
        .route("/ledger/style.css", get(Nobody, assets::style))
        .route("/ledger/page.js", get(Nobody, assets::page))
        .route("/ledger/proof.js", get(Nobody, assets::proof))
}
