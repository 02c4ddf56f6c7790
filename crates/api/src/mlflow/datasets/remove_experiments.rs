//! `POST datasets/<id>/remove-experiments`: takes a data set out of experiments.

use axum::Json;
use axum::extract::Path;
use serde::Deserialize;

use super::create::Response;
use crate::http::{Answer, Identified, InWorkspace, Unread};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Request {
    experiment_ids: Vec<String>,
}

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Path(id): Path<String>,
    body: Unread<Request>,
) -> Answer<Response> {
    let app = state.app();
    let (request, may) = body.read(|| app.authorize_dataset_manage(&caller, &id)).await?;
    let dataset = app.remove_dataset_from_experiments(&caller, &may, request.experiment_ids).await?;
    Ok(Json(Response { dataset: dataset.into() }))
}
