//! `GET traces`: a search. Each experiment that is named takes READ.

use axum::Json;
use sealyard_app::SearchTraces;
use serde::{Deserialize, Serialize};

use super::super::traces::readable;
use super::super::view::TraceInfoV2View;
use crate::http::{Answer, ApiError, Identified, InWorkspace, Input, Integer, Texts};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Request {
    experiment_ids: Texts,
    filter: String,
    max_results: Option<Integer>,
    order_by: Texts,
    page_token: String,
}

#[derive(Debug, Serialize)]
pub(super) struct Response {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    traces: Vec<TraceInfoV2View>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_page_token: Option<String>,
}

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Input(request): Input<Request>,
) -> Answer<Response> {
    let app = state.app();
    if request.experiment_ids.iter().next().is_none() {
        return Err(ApiError::invalid("Missing value for required parameter 'experiment_ids'."));
    }
    let may = readable(app, &caller, request.experiment_ids.iter()).await?;
    let search = SearchTraces {
        filter: request.filter,
        order_by: request.order_by.iter().map(str::to_owned).collect(),
        max_results: request.max_results.map(|count| count.0),
        page_token: request.page_token,
    };
    let (page, next_page_token) = app.search_traces(&may, search).await?;
    Ok(Json(Response { traces: page.items.into_iter().map(Into::into).collect(), next_page_token }))
}
