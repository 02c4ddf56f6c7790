//! `DELETE logged-models/<id>`.

use axum::Json;
use axum::extract::Path;
use sealyard_identity::Manage;

use crate::http::{Answer, Empty, Identified, InWorkspace};

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Path(id): Path<String>,
) -> Answer<Empty> {
    let app = state.app();
    let may = app.authorize_logged_model(&caller, Manage, &id).await?;
    app.delete_logged_model(&caller, &may, &id).await?;
    Ok(Json(Empty {}))
}
