//! `GET traces/get`: a trace with its spans.

use sealyard_identity::Read;
use serde::{Deserialize, Serialize};

use super::super::view::TraceView;
use crate::http::{ApiError, Flag, Identified, InWorkspace, Input, large_answer, required};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Request {
    trace_id: String,
    allow_partial: Flag,
}

#[derive(Debug, Serialize)]
pub(super) struct Response {
    trace: TraceView,
}

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Input(request): Input<Request>,
) -> Result<axum::response::Response, ApiError> {
    let app = state.app();
    let id = required("trace_id", &request.trace_id)?;
    let may = app.authorize_trace(&caller, Read, id).await?;
    large_answer(Response { trace: app.whole_trace(&may, id, request.allow_partial.0).await?.into() }).await
}
