//! `POST traces/calculate-filter-correlation`: how much two filters find the same traces.

use axum::Json;
use serde::{Deserialize, Serialize};

use super::readable;
use crate::http::{Answer, ApiError, Identified, InWorkspace, Input, required};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Request {
    experiment_ids: Vec<String>,
    filter_string1: String,
    filter_string2: String,
    base_filter: String,
}

#[derive(Debug, Serialize)]
pub(super) struct Response {
    #[serde(skip_serializing_if = "Option::is_none")]
    npmi: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    npmi_smoothed: Option<f64>,
    filter1_count: u64,
    filter2_count: u64,
    joint_count: u64,
    total_count: u64,
}

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Input(request): Input<Request>,
) -> Answer<Response> {
    let app = state.app();
    if request.experiment_ids.is_empty() {
        return Err(ApiError::invalid("Missing value for required parameter 'experiment_ids'."));
    }
    let may = readable(app, &caller, request.experiment_ids.iter().map(String::as_str)).await?;
    let first = required("filter_string1", &request.filter_string1)?;
    let second = required("filter_string2", &request.filter_string2)?;
    let found = app.correlate_traces(&may, first, second, &request.base_filter).await?;
    Ok(Json(Response {
        npmi: found.npmi,
        npmi_smoothed: found.npmi_smoothed,
        filter1_count: found.filter1_count,
        filter2_count: found.filter2_count,
        joint_count: found.joint_count,
        total_count: found.total_count,
    }))
}
