//! `POST traces/batchGetInfos`: several traces without their spans; those that the caller may read.

use axum::Json;
use serde::{Deserialize, Serialize};

use super::super::view::TraceInfoView;
use crate::http::{Answer, Identified, InWorkspace, Input};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Request {
    trace_ids: Vec<String>,
}

#[derive(Debug, Serialize)]
pub(super) struct Response {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    trace_infos: Vec<TraceInfoView>,
}

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Input(request): Input<Request>,
) -> Answer<Response> {
    let traces = state.app().traces(&caller, request.trace_ids, false).await?;
    Ok(Json(Response { trace_infos: traces.into_iter().map(|whole| whole.trace.into()).collect() }))
}
