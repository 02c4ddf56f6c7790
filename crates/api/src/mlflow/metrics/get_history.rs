//! `GET metrics/get-history`.

use axum::Json;
use sealyard_app::PageToken;
use sealyard_identity::Read;
use serde::{Deserialize, Serialize};

use super::super::runs::run_id;
use super::super::view::MetricView;
use crate::http::{Answer, Identified, InWorkspace, Input, Integer, required};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Request {
    run_id: String,
    run_uuid: String,
    metric_key: String,
    max_results: Option<Integer>,
    page_token: String,
}

#[derive(Debug, Serialize)]
pub(super) struct Response {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    metrics: Vec<MetricView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_page_token: Option<String>,
}

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Input(request): Input<Request>,
) -> Answer<Response> {
    let app = state.app();
    let id = run_id(&request.run_id, &request.run_uuid)?;
    let may = app.authorize_run(&caller, Read, id).await?;
    let key = required("metric_key", &request.metric_key)?;
    let from = PageToken::new(Some(&request.page_token));
    let page = app.metric_history(&may, id, key, request.max_results.map(|count| count.0), from).await?;
    let metrics = page.items.into_iter().map(MetricView::from).collect();
    Ok(Json(Response { metrics, next_page_token: page.next_page_token }))
}
