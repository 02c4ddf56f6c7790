//! `PATCH traces/<id>`: ends a trace.

use axum::Json;
use axum::extract::Path;
use sealyard_app::EndTrace;
use sealyard_identity::Edit;
use sealyard_store::model::TraceState;
use serde::{Deserialize, Serialize};

use super::super::view::{PairInput, TraceInfoV2View, pairs};
use crate::http::{Answer, ApiError, Identified, InWorkspace, Integer, Unread};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Request {
    timestamp_ms: Option<Integer>,
    status: String,
    request_metadata: Vec<PairInput>,
    tags: Vec<PairInput>,
}

#[derive(Debug, Serialize)]
pub(super) struct Response {
    trace_info: TraceInfoV2View,
}

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Path(id): Path<String>,
    body: Unread<Request>,
) -> Answer<Response> {
    let app = state.app();
    let (request, may) = body.read(|| app.authorize_trace(&caller, Edit, &id)).await?;
    let status = match request.status.as_str() {
        "" | "TRACE_STATUS_UNSPECIFIED" => Some(TraceState::Unspecified),
        text => TraceState::from_text(text),
    };
    let end = EndTrace {
        timestamp: request.timestamp_ms.map_or(0, |time| time.0),
        state: status.ok_or_else(|| ApiError::invalid("Invalid value for parameter 'status' supplied"))?,
        metadata: pairs(request.request_metadata),
        tags: pairs(request.tags),
    };
    Ok(Json(Response { trace_info: app.end_trace(&may, &id, end).await?.into() }))
}
