//! `GET traces/<id>/assessments/<assessment>`.

use axum::Json;
use axum::extract::{Path, State};
use sealyard_identity::Read;

use super::create::Response;
use crate::http::{Answer, ApiState, Identified};

pub(super) async fn handler(
    State(state): State<ApiState>,
    Identified(caller): Identified,
    Path((trace_id, id)): Path<(String, String)>,
) -> Answer<Response> {
    let app = state.app();
    let may = app.authorize_trace(&caller, Read, &trace_id).await?;
    Ok(Json(Response { assessment: app.assessment(&may, &trace_id, &id).await?.into() }))
}
