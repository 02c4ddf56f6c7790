//! `GET logged-models/<id>/artifacts/files`: one file of the model, for the pages. As bytes to be kept, never as a page to be
//! shown.

use axum::extract::Path;
use axum::response::Response;
use sealyard_identity::Read;
use sealyard_store::model::ArtifactOwner;
use serde::Deserialize;

use super::super::artifacts::file_parameter;
use crate::http::{ApiError, Identified, InWorkspace, Input};
use crate::mlflow::stream;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Request {
    artifact_file_path: String,
}

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Path(id): Path<String>,
    Input(request): Input<Request>,
) -> Result<Response, ApiError> {
    let app = state.app();
    let path = file_parameter(app, &caller, "artifact_file_path", &request.artifact_file_path).await?;
    let may = app.authorize_logged_model(&caller, Read, &id).await?;
    let download = app.download(&caller, &may, &ArtifactOwner::LoggedModel(id), &path).await?;
    Ok(stream(download, path.file_name()))
}
