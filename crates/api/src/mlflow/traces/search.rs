//! `POST traces/search`. Each experiment that is named takes READ.

use axum::Json;
use sealyard_app::SearchTraces;
use serde::{Deserialize, Serialize};

use super::super::view::TraceInfoView;
use super::readable;
use super::start::Location;
use crate::http::{Answer, ApiError, Identified, InWorkspace, Input, Integer};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Request {
    locations: Vec<Location>,
    filter: String,
    max_results: Option<Integer>,
    order_by: Vec<String>,
    page_token: String,
}

#[derive(Debug, Serialize)]
pub(super) struct Response {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    traces: Vec<TraceInfoView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_page_token: Option<String>,
}

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Input(request): Input<Request>,
) -> Answer<Response> {
    let app = state.app();
    if request.locations.is_empty() {
        return Err(ApiError::invalid("Missing value for required parameter 'locations'."));
    }
    let named = request.locations.iter().filter_map(|location| location.mlflow_experiment.as_ref());
    let may = readable(app, &caller, named.map(|experiment| experiment.experiment_id.as_str())).await?;
    let search = SearchTraces {
        filter: request.filter,
        order_by: request.order_by,
        max_results: request.max_results.map(|count| count.0),
        page_token: request.page_token,
    };
    let (page, next_page_token) = app.search_traces(&may, search).await?;
    Ok(Json(Response { traces: page.items.into_iter().map(Into::into).collect(), next_page_token }))
}
