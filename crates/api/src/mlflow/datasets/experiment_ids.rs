//! `GET datasets/<id>/experiment-ids`.

use axum::Json;
use axum::extract::Path;
use serde::Serialize;

use crate::http::{Answer, Identified, InWorkspace};

#[derive(Debug, Serialize)]
pub(super) struct Response {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    experiment_ids: Vec<String>,
}

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Path(id): Path<String>,
) -> Answer<Response> {
    let app = state.app();
    let may = app.authorize_dataset_read(&caller, &id).await?;
    Ok(Json(Response { experiment_ids: app.evaluation_dataset(&may).await?.experiment_ids }))
}
