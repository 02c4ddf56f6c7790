//! `GET logged-models/<id>/artifacts/directories`: what lies in a folder of the model.

use axum::Json;
use axum::extract::Path;
use sealyard_identity::Read;
use sealyard_store::model::ArtifactOwner;
use serde::{Deserialize, Serialize};

use super::super::artifacts::{FileView, directory};
use crate::http::{Answer, Identified, InWorkspace, Input};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Request {
    artifact_directory_path: String,
}

#[derive(Debug, Serialize)]
pub(super) struct Response {
    root_uri: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    files: Vec<FileView>,
}

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Path(id): Path<String>,
    Input(request): Input<Request>,
) -> Answer<Response> {
    let app = state.app();
    let below = directory(app, &caller, &request.artifact_directory_path).await?;
    let may = app.authorize_logged_model(&caller, Read, &id).await?;
    let model = app.logged_model(&may, &id).await?;
    let owner = ArtifactOwner::LoggedModel(id);
    let listing = app.list_artifacts(&may, &owner, below.as_ref()).await?;
    Ok(Json(Response { root_uri: model.artifact_uri, files: listing.into_iter().map(FileView::from).collect() }))
}
