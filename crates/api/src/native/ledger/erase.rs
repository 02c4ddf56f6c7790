//! `POST ledger/erase`: erases what entries have of persons: of one actor, or of all, before a moment. The entries stay.

use axum::Json;
use sealyard_core::Timestamp;
use sealyard_identity::{Administer, LedgerLog};
use serde::{Deserialize, Serialize};

use crate::http::{Answer, Identified, InWorkspace, Input, Integer};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Request {
    #[serde(default)]
    actor: Option<String>,
    /// Milliseconds since 1970.
    before: Integer,
}

#[derive(Debug, Serialize)]
pub(super) struct Response {
    erased: u64,
}

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Input(request): Input<Request>,
) -> Answer<Response> {
    let app = state.app();
    let may = app.authorize(&caller, Administer, LedgerLog).await?;
    let before = Timestamp::from_millis(request.before.0);
    Ok(Json(Response { erased: app.erase_personal(&caller, &may, request.actor, before).await? }))
}
