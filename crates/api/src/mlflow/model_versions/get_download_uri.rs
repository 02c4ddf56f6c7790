//! `GET model-versions/get-download-uri`: where a stock client finds the files. Always the artifact proxy, which checks
//! again; a loader of ours takes the native routes, which serve what was frozen.

use axum::Json;
use sealyard_app::VersionReference;
use sealyard_identity::Read;
use serde::{Deserialize, Serialize};

use crate::http::{Answer, Identified, InWorkspace, Input};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Request {
    name: String,
    version: String,
}

#[derive(Debug, Serialize)]
pub(super) struct Response {
    artifact_uri: String,
}

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Input(request): Input<Request>,
) -> Answer<Response> {
    let app = state.app();
    let may = app.authorize_registered_model(&caller, Read, &request.name).await?;
    let version = VersionReference::parse(&request.version)?;
    let found = app.model_version(&may, version).await?;
    Ok(Json(Response { artifact_uri: found.download_location() }))
}
