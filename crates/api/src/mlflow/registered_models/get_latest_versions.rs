//! `GET` and `POST registered-models/get-latest-versions`: the newest of each stage.

use axum::Json;
use sealyard_identity::Read;
use serde::{Deserialize, Serialize};

use super::super::view::ModelVersionView;
use crate::http::{Answer, Identified, InWorkspace, Input, Texts};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Request {
    name: String,
    stages: Texts,
}

#[derive(Debug, Serialize)]
pub(super) struct Response {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    model_versions: Vec<ModelVersionView>,
}

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Input(request): Input<Request>,
) -> Answer<Response> {
    let app = state.app();
    let may = app.authorize_registered_model(&caller, Read, &request.name).await?;
    let stages = request.stages.iter().map(str::to_owned).collect();
    let versions = app.latest_versions(&may, stages).await?;
    Ok(Json(Response { model_versions: versions.into_iter().map(ModelVersionView::from).collect() }))
}
