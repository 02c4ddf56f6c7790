//! `DELETE webhooks/<id>`: administrators only.

use axum::Json;
use axum::extract::Path;
use sealyard_identity::{Administer, ServerWide};

use super::missing;
use crate::http::{Answer, Empty, Identified, InWorkspace};

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Path(id): Path<String>,
) -> Answer<Empty> {
    let app = state.app();
    let may = app.authorize(&caller, Administer, ServerWide).await?;
    app.delete_webhook(&caller, &may, &id).await.map_err(missing)?;
    Ok(Json(Empty {}))
}
