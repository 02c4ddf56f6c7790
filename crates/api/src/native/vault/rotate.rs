//! `POST vault/rotate`: makes a new key, which wraps from then on.

use axum::Json;
use sealyard_app::VaultStatus;
use sealyard_identity::{Administer, ServerWide};
use serde::Deserialize;

use crate::http::{Answer, Identified, InWorkspace, Strict};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Request {}

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Strict(Request {}): Strict<Request>,
) -> Answer<VaultStatus> {
    let app = state.app();
    let may = app.authorize(&caller, Administer, ServerWide).await?;
    Ok(Json(app.rotate_vault_key(&caller, &may).await?))
}
