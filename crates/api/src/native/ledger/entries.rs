//! `GET ledger/entries`: entries from `from` on. `bytes` is what the log hashes, in base64; `event` is the same to read.

use axum::Json;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sealyard_identity::{LedgerLog, Read};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::http::{Answer, ApiError, Identified, InWorkspace, Input, Integer};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Request {
    from: Option<Integer>,
    limit: Option<Integer>,
}

#[derive(Debug, Serialize)]
pub(super) struct Response {
    entries: Vec<Entry>,
}

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Input(request): Input<Request>,
) -> Answer<Response> {
    let app = state.app();
    let may = app.authorize(&caller, Read, LedgerLog).await?;
    let within = |given: Option<Integer>, default: u64| {
        let number = given.map_or(Ok(default), |given| u64::try_from(given.0));
        number.map_err(|_| ApiError::invalid("from and limit are not negative"))
    };
    let from = within(request.from, 0)?;
    let limit = u32::try_from(within(request.limit, 100)?).unwrap_or(u32::MAX);
    let entry = |(index, bytes, personal): (u64, Vec<u8>, Option<Value>)| Entry {
        index,
        personal,
        event: serde_json::from_slice(&bytes).ok(),
        bytes: STANDARD.encode(&bytes),
    };
    let entries = app.ledger_entries(&may, from, limit).await?;
    let entries = app.with_personal(&may, entries).await?;
    Ok(Json(Response { entries: entries.into_iter().map(entry).collect() }))
}

#[derive(Debug, Serialize)]
struct Entry {
    index: u64,
    bytes: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    event: Option<Value>,
    /// What is kept apart of it; `"erased"` where it is no more.
    #[serde(skip_serializing_if = "Option::is_none")]
    personal: Option<Value>,
}
