//! `POST datasets/create`. Takes EDIT on each experiment that is named; without any, what creating an experiment takes.

use axum::Json;
use serde::{Deserialize, Serialize};

use super::super::view::DatasetView;
use super::tags;
use crate::http::{Answer, Identified, InWorkspace, Input, required};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Request {
    name: String,
    experiment_ids: Vec<String>,
    tags: String,
}

#[derive(Debug, Serialize)]
pub(super) struct Response {
    pub(super) dataset: DatasetView,
}

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Input(request): Input<Request>,
) -> Answer<Response> {
    let app = state.app();
    let may = app.authorize_dataset_creation(&caller, &request.experiment_ids).await?;
    let name = required("name", &request.name)?;
    let dataset = app.create_evaluation_dataset(&caller, &may, name, tags(&request.tags)?).await?;
    Ok(Json(Response { dataset: dataset.into() }))
}
