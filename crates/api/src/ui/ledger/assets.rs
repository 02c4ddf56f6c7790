//! What the page of the ledger is made of: its style, its script, and the checks of proofs.

use axum::response::{IntoResponse as _, Response};
use http::header;

const SCRIPT: &str = "text/javascript; charset=utf-8";

pub(super) async fn style() -> Response {
    sent("text/css; charset=utf-8", include_str!("../assets/ledger.css"))
}

pub(super) async fn page() -> Response {
    sent(SCRIPT, include_str!("../assets/ledger.js"))
}

pub(super) async fn proof() -> Response {
    sent(SCRIPT, include_str!("../assets/ledger-proof.js"))
}

fn sent(kind: &'static str, text: &'static str) -> Response {
    ([(header::CONTENT_TYPE, kind)], text).into_response()
}
