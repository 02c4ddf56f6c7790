//! `PATCH model-versions/update`: another description.

use axum::Json;
use sealyard_app::VersionReference;
use sealyard_identity::Edit;
use serde::{Deserialize, Serialize};

use super::super::view::ModelVersionView;
use crate::http::{Answer, Identified, InWorkspace, Input};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Request {
    name: String,
    version: String,
    description: String,
}

#[derive(Debug, Serialize)]
pub(super) struct Response {
    model_version: ModelVersionView,
}

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Input(request): Input<Request>,
) -> Answer<Response> {
    let app = state.app();
    let may = app.authorize_registered_model(&caller, Edit, &request.name).await?;
    let version = VersionReference::parse(&request.version)?;
    let changed = app.describe_model_version(&caller, &may, version, request.description).await?;
    Ok(Json(Response { model_version: changed.into() }))
}
