//! `GET traces/<id>`: a trace without its spans.

use axum::Json;
use axum::extract::{Path, State};
use sealyard_identity::Read;
use serde::Serialize;

use super::super::view::TraceView;
use crate::http::{Answer, ApiState, Identified};

#[derive(Debug, Serialize)]
pub(super) struct Response {
    trace: TraceView,
}

pub(super) async fn handler(
    State(state): State<ApiState>,
    Identified(caller): Identified,
    Path(id): Path<String>,
) -> Answer<Response> {
    let app = state.app();
    let may = app.authorize_trace(&caller, Read, &id).await?;
    Ok(Json(Response { trace: TraceView::of_info(app.trace(&may, &id).await?.into()) }))
}
