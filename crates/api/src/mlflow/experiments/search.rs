//! `GET` and `POST experiments/search`: what the caller may read.

use axum::Json;
use sealyard_app::search::{self, Searched};
use sealyard_app::{PageToken, SearchExperiments};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::super::view::{ExperimentView, view_type};
use crate::http::{Answer, Identified, InWorkspace, Input, Integer, Texts};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Request {
    max_results: Option<Integer>,
    page_token: String,
    filter: String,
    order_by: Texts,
    view_type: Option<Value>,
}

#[derive(Debug, Serialize)]
pub(super) struct Response {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    experiments: Vec<ExperimentView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_page_token: Option<String>,
}

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Input(request): Input<Request>,
) -> Answer<Response> {
    let app = state.app();
    let search = SearchExperiments {
        filter: search::filter(Searched::Experiments, &request.filter)?,
        order: search::order(Searched::Experiments, request.order_by.iter())?,
        view: view_type(request.view_type.as_ref())?,
        max_results: request.max_results.map(|count| count.0),
        from: PageToken::new(Some(&request.page_token)),
    };
    let page = app.search_experiments(&caller, search).await?;
    let experiments = page.items.into_iter().map(ExperimentView::from).collect();
    Ok(Json(Response { experiments, next_page_token: page.next_page_token }))
}
