//! `GET ledger/checkpoint`: the newest signed checkpoint and the key it is signed with.

use axum::Json;
use sealyard_app::LedgerStatus;
use sealyard_identity::{LedgerLog, Read};

use crate::http::{Answer, Identified, InWorkspace};

pub(super) async fn handler(InWorkspace(state): InWorkspace, Identified(caller): Identified) -> Answer<LedgerStatus> {
    let app = state.app();
    let may = app.authorize(&caller, Read, LedgerLog).await?;
    Ok(Json(app.ledger_status(&may).await?))
}
