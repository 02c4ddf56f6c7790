//! `GET artifacts/list`: what lies directly in a folder of a run.

use axum::Json;
use sealyard_identity::Read;
use sealyard_store::model::ArtifactOwner;
use serde::{Deserialize, Serialize};

use super::super::runs::run_id;
use super::{FileView, directory};
use crate::http::{Answer, Identified, InWorkspace, Input};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::mlflow) struct Request {
    run_id: String,
    run_uuid: String,
    path: String,
}

#[derive(Debug, Serialize)]
pub(in crate::mlflow) struct Response {
    root_uri: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    files: Vec<FileView>,
}

pub(in crate::mlflow) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Input(request): Input<Request>,
) -> Answer<Response> {
    let app = state.app();
    let id = run_id(&request.run_id, &request.run_uuid)?;
    let below = directory(app, &caller, &request.path).await?;
    let may = app.authorize_run(&caller, Read, id).await?;
    let run = app.run(&may, id).await?;
    let listing = app.list_artifacts(&may, &ArtifactOwner::Run(run.id), below.as_ref()).await?;
    Ok(Json(Response { root_uri: run.artifact_uri, files: listing.into_iter().map(FileView::from).collect() }))
}
