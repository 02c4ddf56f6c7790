//! `DELETE logged-models/<id>/tags/<key>`.

use axum::Json;
use axum::extract::Path;
use sealyard_identity::Edit;

use crate::http::{Answer, Empty, Identified, InWorkspace};

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Path((id, key)): Path<(String, String)>,
) -> Answer<Empty> {
    let app = state.app();
    let may = app.authorize_logged_model(&caller, Edit, &id).await?;
    app.delete_logged_model_tag(&may, &id, &key).await?;
    Ok(Json(Empty {}))
}
