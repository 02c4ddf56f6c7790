//! `GET vault`: the vault's keys by their ids, what protects them, and how far the work with them is.

use axum::Json;
use sealyard_app::VaultStatus;
use sealyard_identity::{Administer, ServerWide};

use crate::http::{Answer, Identified, InWorkspace};

pub(super) async fn handler(InWorkspace(state): InWorkspace, Identified(caller): Identified) -> Answer<VaultStatus> {
    let app = state.app();
    let may = app.authorize(&caller, Administer, ServerWide).await?;
    Ok(Json(app.vault_status(&may).await?))
}
