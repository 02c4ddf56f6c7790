//! `POST traces`: a trace as a whole, without its spans; clients send it at the trace's end.

use std::collections::BTreeMap;

use axum::Json;
use sealyard_app::GivenTrace;
use sealyard_core::Timestamp;
use sealyard_identity::Edit;
use sealyard_store::model::{Pair, TraceState};
use serde::{Deserialize, Serialize};

use super::super::view::{AssessmentInput, TraceView, read_duration};
use crate::http::{Answer, ApiError, Identified, InWorkspace, LargeInput, required};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Request {
    trace: Trace,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Trace {
    trace_info: Info,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Info {
    trace_id: String,
    client_request_id: Option<String>,
    trace_location: Location,
    request_preview: Option<String>,
    response_preview: Option<String>,
    request_time: Option<String>,
    execution_duration: Option<String>,
    state: Option<String>,
    trace_metadata: BTreeMap<String, String>,
    tags: BTreeMap<String, String>,
    assessments: Vec<AssessmentInput>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Location {
    pub(super) mlflow_experiment: Option<Experiment>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Experiment {
    pub(super) experiment_id: String,
}

#[derive(Debug, Serialize)]
pub(super) struct Response {
    trace: TraceView,
}

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    LargeInput(request): LargeInput<Request>,
) -> Answer<Response> {
    let app = state.app();
    let info = request.trace.trace_info;
    let experiment = info.trace_location.mlflow_experiment.unwrap_or_default().experiment_id;
    let may = app.authorize_experiment(&caller, Edit, required("trace_location", &experiment)?).await?;
    required("trace_id", &info.trace_id)?;
    let invalid = |name: &str| ApiError::invalid(format!("Invalid value for parameter '{name}' supplied"));
    let request_time = info.request_time.as_deref().and_then(Timestamp::from_rfc3339);
    let pairs = |map: BTreeMap<String, String>| map.into_iter().map(|(key, value)| Pair { key, value }).collect();
    let given = GivenTrace {
        trace_id: info.trace_id,
        client_request_id: info.client_request_id,
        request_time: request_time.ok_or_else(|| invalid("request_time"))?.as_millis(),
        duration: match info.execution_duration {
            Some(text) => Some(read_duration(&text).ok_or_else(|| invalid("execution_duration"))?),
            None => None,
        },
        state: match info.state {
            Some(text) => TraceState::from_text(&text).ok_or_else(|| invalid("state"))?,
            None => TraceState::Unspecified,
        },
        request_preview: info.request_preview,
        response_preview: info.response_preview,
        metadata: pairs(info.trace_metadata),
        tags: pairs(info.tags),
        assessments: info.assessments.into_iter().map(TryInto::try_into).collect::<Result<_, _>>()?,
    };
    let trace = app.put_trace(&caller, &may, given).await?;
    Ok(Json(Response { trace: TraceView::of_info(trace.into()) }))
}
