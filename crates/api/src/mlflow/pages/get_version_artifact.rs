//! `GET /model-versions/get-artifact`: one frozen file of a version, for the pages. As bytes to be kept, never as a page to be
//! shown. What a version's source says is never followed.

use axum::response::Response;
use sealyard_app::VersionReference;
use sealyard_identity::Read;
use serde::Deserialize;

use super::super::artifacts::file_parameter;
use crate::http::{ApiError, Identified, InWorkspace, Input};
use crate::mlflow::stream;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Request {
    name: String,
    version: String,
    path: String,
}

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Input(request): Input<Request>,
) -> Result<Response, ApiError> {
    let app = state.app();
    let path = file_parameter(app, &caller, "path", &request.path).await?;
    let may = app.authorize_registered_model(&caller, Read, &request.name).await?;
    let version = VersionReference::parse(&request.version)?;
    let download = app.version_file_for_people(&may, version.number(), &path).await?;
    Ok(stream(download, path.file_name()))
}
