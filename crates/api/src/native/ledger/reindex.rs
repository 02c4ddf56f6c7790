//! `POST ledger/reindex`: has the index and the nodes of the tree made anew, out of the entries, in the background.

use axum::Json;
use sealyard_identity::{LedgerLog, Manage};

use crate::http::{Answer, Empty, Identified, InWorkspace};

pub(super) async fn handler(InWorkspace(state): InWorkspace, Identified(caller): Identified) -> Answer<Empty> {
    let app = state.app();
    let may = app.authorize(&caller, Manage, LedgerLog).await?;
    app.reindex_ledger(&caller, &may).await?;
    Ok(Json(Empty {}))
}
