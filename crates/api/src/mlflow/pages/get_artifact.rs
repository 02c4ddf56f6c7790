//! `GET /get-artifact`: one file of a run, for the pages. As bytes to be kept, never as a page to be shown.

use axum::response::Response;
use sealyard_identity::Read;
use sealyard_store::model::ArtifactOwner;
use serde::Deserialize;

use super::super::artifacts::file_parameter;
use super::super::runs::run_id;
use crate::http::{ApiError, Identified, InWorkspace, Input};
use crate::mlflow::stream;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Request {
    run_id: String,
    run_uuid: String,
    path: String,
}

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Input(request): Input<Request>,
) -> Result<Response, ApiError> {
    let app = state.app();
    let path = file_parameter(app, &caller, "path", &request.path).await?;
    let id = run_id(&request.run_id, &request.run_uuid)?;
    let may = app.authorize_run(&caller, Read, id).await?;
    let download = app.download(&caller, &may, &ArtifactOwner::Run(id.to_owned()), &path).await?;
    Ok(stream(download, path.file_name()))
}
