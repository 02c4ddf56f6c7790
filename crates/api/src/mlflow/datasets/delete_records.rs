//! `DELETE datasets/<id>/records`.

use axum::Json;
use axum::extract::Path;
use serde::{Deserialize, Serialize};

use crate::http::{Answer, Identified, InWorkspace, Texts, Unread};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Request {
    dataset_record_ids: Texts,
}

#[derive(Debug, Serialize)]
pub(super) struct Response {
    deleted_count: u64,
}

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Path(id): Path<String>,
    body: Unread<Request>,
) -> Answer<Response> {
    let app = state.app();
    let (request, may) = body.read(|| app.authorize_dataset_edit(&caller, &id)).await?;
    let ids = request.dataset_record_ids.iter().map(str::to_owned).collect();
    Ok(Json(Response { deleted_count: app.delete_dataset_records(&caller, &may, ids).await? }))
}
