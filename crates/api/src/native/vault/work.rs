//! `POST vault/work`: begins to put everything under the newest key, in the background; `kind` is `rewrap` or `reencrypt`.

use axum::Json;
use sealyard_app::{VaultStatus, VaultWorkKind};
use sealyard_identity::{Administer, ServerWide};
use serde::Deserialize;

use crate::http::{Answer, Identified, InWorkspace, Strict};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Request {
    kind: VaultWorkKind,
}

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Strict(request): Strict<Request>,
) -> Answer<VaultStatus> {
    let app = state.app();
    let may = app.authorize(&caller, Administer, ServerWide).await?;
    Ok(Json(app.begin_vault_work(&caller, &may, request.kind).await?))
}
