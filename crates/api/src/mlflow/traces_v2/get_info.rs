//! `GET traces/<id>/info`.

use axum::Json;
use axum::extract::Path;
use sealyard_identity::Read;
use serde::Serialize;

use super::super::view::TraceInfoV2View;
use crate::http::{Answer, Identified, InWorkspace};

#[derive(Debug, Serialize)]
pub(super) struct Response {
    trace_info: TraceInfoV2View,
}

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Path(id): Path<String>,
) -> Answer<Response> {
    let app = state.app();
    let may = app.authorize_trace(&caller, Read, &id).await?;
    Ok(Json(Response { trace_info: app.trace(&may, &id).await?.into() }))
}
