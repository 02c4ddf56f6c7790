//! `POST datasets/search` and `GET datasets/search`: data sets that the caller may read.

use axum::Json;
use sealyard_app::{PageToken, SearchEvaluationDatasets};
use serde::{Deserialize, Serialize};

use super::super::traces::readable;
use super::super::view::DatasetView;
use crate::http::{Answer, Identified, InWorkspace, Input, Integer, Texts};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Request {
    experiment_ids: Texts,
    filter_string: String,
    max_results: Option<Integer>,
    order_by: Texts,
    page_token: String,
}

#[derive(Debug, Serialize)]
pub(super) struct Response {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    datasets: Vec<DatasetView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_page_token: Option<String>,
}

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Input(request): Input<Request>,
) -> Answer<Response> {
    let app = state.app();
    let may = readable(app, &caller, request.experiment_ids.iter()).await?;
    let search = SearchEvaluationDatasets {
        filter: request.filter_string,
        order_by: request.order_by.iter().map(str::to_owned).collect(),
        max_results: request.max_results.map(|count| count.0),
        from: PageToken::new(Some(&request.page_token)),
    };
    let found = app.search_evaluation_datasets(&caller, &may, search).await?;
    let next_page_token = found.next_page_token;
    Ok(Json(Response { datasets: found.items.into_iter().map(Into::into).collect(), next_page_token }))
}
