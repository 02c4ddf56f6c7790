//! `POST traces/delete-traces`: with their spans, assessments and artifacts.

use axum::Json;
use sealyard_app::DeleteTraces;
use sealyard_identity::Manage;
use serde::{Deserialize, Serialize};

use crate::http::{Answer, Identified, InWorkspace, Input, Integer, required};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::mlflow) struct Request {
    experiment_id: String,
    max_timestamp_millis: Option<Integer>,
    max_traces: Option<Integer>,
    request_ids: Vec<String>,
}

#[derive(Debug, Serialize)]
pub(in crate::mlflow) struct Response {
    traces_deleted: u64,
}

pub(in crate::mlflow) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Input(request): Input<Request>,
) -> Answer<Response> {
    let app = state.app();
    let experiment = required("experiment_id", &request.experiment_id)?;
    let may = app.authorize_experiment(&caller, Manage, experiment).await?;
    let delete = DeleteTraces {
        max_timestamp: request.max_timestamp_millis.map(|millis| millis.0),
        max_traces: request.max_traces.map(|count| count.0),
        trace_ids: request.request_ids,
    };
    Ok(Json(Response { traces_deleted: app.delete_traces(&caller, &may, delete).await? }))
}
