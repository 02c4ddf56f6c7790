//! `GET webhooks/<id>`: administrators only.

use axum::Json;
use axum::extract::Path;
use sealyard_identity::{Administer, ServerWide};

use super::missing;
use super::view::Response;
use crate::http::{Answer, Identified, InWorkspace};

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Path(id): Path<String>,
) -> Answer<Response> {
    let app = state.app();
    let may = app.authorize(&caller, Administer, ServerWide).await?;
    Ok(Json(app.webhook(&may, &id).await.map_err(missing)?.into()))
}
