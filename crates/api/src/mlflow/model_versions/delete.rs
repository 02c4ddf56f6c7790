//! `DELETE model-versions/delete`. A published one stays.

use axum::Json;
use sealyard_app::VersionReference;
use sealyard_identity::Manage;
use serde::Deserialize;

use crate::http::{Answer, Empty, Identified, InWorkspace, Input};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Request {
    name: String,
    version: String,
}

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Input(request): Input<Request>,
) -> Answer<Empty> {
    let app = state.app();
    let may = app.authorize_registered_model(&caller, Manage, &request.name).await?;
    let version = VersionReference::parse(&request.version)?;
    app.delete_model_version(&caller, &may, version).await?;
    Ok(Json(Empty {}))
}
