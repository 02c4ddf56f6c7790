//! `GET ledger/tlog/checkpoint` and `GET ledger/tlog/tile/<path>`: the log as [C2SP tlog-tiles](https://c2sp.org/tlog-tiles)
//! lays it out, for monitors of other projects. The prefix is `…/ledger/tlog`.

use axum::extract::Path;
use axum::response::{IntoResponse as _, Response};
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use sealyard_identity::{LedgerLog, Read};

use crate::http::{ApiError, Identified, InWorkspace};

pub(super) async fn checkpoint(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
) -> Result<Response, ApiError> {
    let app = state.app();
    let may = app.authorize(&caller, Read, LedgerLog).await?;
    let note = app.ledger_note(&may).await?;
    Ok(([(CONTENT_TYPE, "text/plain; charset=utf-8"), (CACHE_CONTROL, "no-store")], note).into_response())
}

pub(super) async fn tile(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Path(path): Path<String>,
) -> Result<Response, ApiError> {
    let app = state.app();
    let may = app.authorize(&caller, Read, LedgerLog).await?;
    let bytes = app.ledger_tile(&may, &path).await?;
    // Whoever may no longer read the ledger must not find it in a cache of others.
    let kept = "private, max-age=31536000, immutable";
    Ok(([(CONTENT_TYPE, "application/octet-stream"), (CACHE_CONTROL, kept)], bytes).into_response())
}
