//! `POST traces`: begins a trace under an id of the server's making.

use axum::Json;
use sealyard_app::StartTraceV2;
use sealyard_identity::Edit;
use serde::{Deserialize, Serialize};

use super::super::view::{PairInput, TraceInfoV2View, pairs};
use crate::http::{Answer, Identified, InWorkspace, Input, Integer, required};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Request {
    experiment_id: String,
    timestamp_ms: Option<Integer>,
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
    Input(request): Input<Request>,
) -> Answer<Response> {
    let app = state.app();
    let experiment = required("experiment_id", &request.experiment_id)?;
    let may = app.authorize_experiment(&caller, Edit, experiment).await?;
    let start = StartTraceV2 {
        timestamp: request.timestamp_ms.map_or(0, |time| time.0),
        metadata: pairs(request.request_metadata),
        tags: pairs(request.tags),
    };
    Ok(Json(Response { trace_info: app.start_trace_v2(&may, start).await?.into() }))
}
