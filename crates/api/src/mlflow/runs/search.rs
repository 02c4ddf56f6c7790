//! `POST runs/search`. Each experiment that is named takes READ.

use axum::Json;
use sealyard_app::search::{self, Searched};
use sealyard_app::{PageToken, SearchRuns};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::super::view::{RunView, view_type};
use crate::http::{Answer, ApiError, Identified, InWorkspace, Input, Integer};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::mlflow) struct Request {
    experiment_ids: Vec<String>,
    filter: String,
    run_view_type: Option<Value>,
    max_results: Option<Integer>,
    order_by: Vec<String>,
    page_token: String,
}

#[derive(Debug, Serialize)]
pub(in crate::mlflow) struct Response {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    runs: Vec<RunView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_page_token: Option<String>,
}

pub(in crate::mlflow) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Input(request): Input<Request>,
) -> Answer<Response> {
    let app = state.app();
    if request.experiment_ids.len() > 1000 {
        return Err(ApiError::invalid("a search names at most 1000 experiments"));
    }
    let may = app.authorize_search(&caller, &request.experiment_ids).await?;
    let search = SearchRuns {
        filter: search::filter(Searched::Runs, &request.filter)?,
        order: search::order(Searched::Runs, request.order_by.iter().map(String::as_str))?,
        view: view_type(request.run_view_type.as_ref())?,
        max_results: request.max_results.map(|count| count.0),
        from: PageToken::new(Some(&request.page_token)),
    };
    let page = app.search_runs(&may, search).await?;
    let runs = page.items.into_iter().map(RunView::from).collect();
    Ok(Json(Response { runs, next_page_token: page.next_page_token }))
}
