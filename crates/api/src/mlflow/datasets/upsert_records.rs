//! `POST datasets/<id>/records`: adds records; those with inputs that are there are merged.

use axum::Json;
use axum::extract::Path;
use sealyard_app::GivenRecord;
use sealyard_formats::json_bounds::JsonBounds;
use serde::{Deserialize, Serialize};

use crate::http::{Answer, ApiError, Identified, InWorkspace, Unread, required};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Request {
    records: String,
}

#[derive(Debug, Serialize)]
pub(super) struct Response {
    inserted_count: u64,
    updated_count: u64,
}

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Path(id): Path<String>,
    body: Unread<Request>,
) -> Answer<Response> {
    let app = state.app();
    let (request, may) = body.read_large(|| app.authorize_dataset_edit(&caller, &id)).await?;
    let text = required("records", &request.records)?;
    if !JsonBounds::REQUEST.hold(text.as_bytes()) {
        return Err(ApiError::invalid("'records' holds too many values"));
    }
    let records: Vec<GivenRecord> =
        serde_json::from_str(text).map_err(|_| ApiError::invalid("'records' must be the JSON of a list of objects"))?;
    let done = app.upsert_dataset_records(&caller, &may, records).await?;
    Ok(Json(Response { inserted_count: done.inserted, updated_count: done.updated }))
}
