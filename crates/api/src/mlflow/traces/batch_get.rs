//! `GET traces/batchGet`: several traces with their spans; those that are complete and that the caller may read.

use serde::{Deserialize, Serialize};

use super::super::view::TraceView;
use crate::http::{ApiError, Identified, InWorkspace, Input, Texts, large_answer};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Request {
    trace_ids: Texts,
}

#[derive(Debug, Serialize)]
pub(super) struct Response {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    traces: Vec<TraceView>,
}

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Input(request): Input<Request>,
) -> Result<axum::response::Response, ApiError> {
    let ids = request.trace_ids.iter().map(str::to_owned).collect();
    let traces = state.app().traces(&caller, ids, true).await?;
    large_answer(Response { traces: traces.into_iter().map(TraceView::from).collect() }).await
}
