//! `DELETE traces/<id>/assessments/<assessment>`: what it overrode is valid again.

use axum::Json;
use axum::extract::Path;
use sealyard_identity::Edit;

use crate::http::{Answer, Empty, Identified, InWorkspace};

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Path((trace_id, id)): Path<(String, String)>,
) -> Answer<Empty> {
    let app = state.app();
    let may = app.authorize_trace(&caller, Edit, &trace_id).await?;
    app.delete_assessment(&may, &trace_id, &id).await?;
    Ok(Json(Empty {}))
}
