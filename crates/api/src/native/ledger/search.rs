//! `GET ledger/search`: entries by who, what, to what, when and how it ended, newest first. `bytes` is what the log hashes.

use axum::Json;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sealyard_app::{FoundEntry, LedgerSearch};
use sealyard_core::{Digest, Timestamp};
use sealyard_identity::{LedgerLog, Read};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::http::{Answer, ApiError, Identified, InWorkspace, Input, Integer};

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Request {
    actor: Option<String>,
    subject: Option<String>,
    rule: Option<String>,
    act: Option<String>,
    outcome: Option<String>,
    request_id: Option<String>,
    /// Milliseconds since 1970, or RFC 3339.
    since: Option<String>,
    until: Option<String>,
    limit: Option<Integer>,
    page_token: Option<String>,
}

#[derive(Debug, Serialize)]
pub(super) struct Response {
    entries: Vec<Entry>,
    next_page_token: Option<String>,
    /// Entries that the index holds, and that the log has: while it is being made these differ.
    indexed: u64,
    size: u64,
    /// Entries that are not what the index says.
    mismatches: Vec<u64>,
}

#[derive(Debug, Serialize)]
struct Entry {
    index: u64,
    bytes: String,
    leaf: Digest,
    intact: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    event: Option<Value>,
}

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Input(request): Input<Request>,
) -> Answer<Response> {
    let app = state.app();
    let may = app.authorize(&caller, Read, LedgerLog).await?;
    let limit = request.limit.map_or(100, |limit| u32::try_from(limit.0.max(0)).unwrap_or(u32::MAX));
    let search = LedgerSearch {
        actor: request.actor,
        subject: request.subject,
        rule: request.rule,
        act: request.act,
        outcome: request.outcome,
        request_id: request.request_id,
        since: moment("since", request.since)?,
        until: moment("until", request.until)?,
        limit,
        page_token: request.page_token,
    };
    let found = app.search_ledger(&may, search).await?;
    let entry = |FoundEntry { index, bytes, leaf, intact }: FoundEntry| Entry {
        index,
        event: serde_json::from_slice(&bytes).ok(),
        bytes: STANDARD.encode(&bytes),
        leaf,
        intact,
    };
    Ok(Json(Response {
        entries: found.entries.into_iter().map(entry).collect(),
        next_page_token: found.next_page_token,
        indexed: found.indexed,
        size: found.size,
        mismatches: found.mismatches,
    }))
}

fn moment(name: &str, text: Option<String>) -> Result<Option<Timestamp>, ApiError> {
    let Some(text) = text else { return Ok(None) };
    let millis = text.parse().ok().map(Timestamp::from_millis);
    let moment = millis.or_else(|| Timestamp::from_rfc3339(&text));
    moment.map(Some).ok_or_else(|| ApiError::invalid(format!("{name} is neither milliseconds nor RFC 3339")))
}
