//! `GET datasets/<id>/records`: a page of records, as the JSON of a list in a text.

use axum::Json;
use axum::extract::Path;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::super::view::dataset_record;
use crate::http::{Answer, Identified, InWorkspace, Input, Integer};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Request {
    max_results: Option<Integer>,
    page_token: String,
}

#[derive(Debug, Serialize)]
pub(super) struct Response {
    records: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_page_token: Option<String>,
}

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Path(id): Path<String>,
    Input(request): Input<Request>,
) -> Answer<Response> {
    let app = state.app();
    let may = app.authorize_dataset_read(&caller, &id).await?;
    let (records, next_page_token) =
        app.dataset_records(&may, request.max_results.map(|count| count.0), &request.page_token).await?;
    let records: Value = records.into_iter().map(|record| dataset_record(&id, record)).collect();
    Ok(Json(Response { records: records.to_string(), next_page_token }))
}
