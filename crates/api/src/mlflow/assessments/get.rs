//! `GET traces/<id>/assessments/<assessment>`.

use axum::Json;
use axum::extract::Path;
use sealyard_identity::Read;

use super::create::Response;
use crate::http::{Answer, Identified, InWorkspace};

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Path((trace_id, id)): Path<(String, String)>,
) -> Answer<Response> {
    let app = state.app();
    let may = app.authorize_trace(&caller, Read, &trace_id).await?;
    Ok(Json(Response { assessment: app.assessment(&may, &trace_id, &id).await?.into() }))
}
