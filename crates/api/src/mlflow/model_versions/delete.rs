//! `DELETE model-versions/delete`. A published one stays.

use axum::Json;
use axum::extract::State;
use sealyard_app::VersionReference;
use sealyard_identity::Manage;
use serde::Deserialize;

use crate::http::{Answer, ApiState, Empty, Identified, Input};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Request {
    name: String,
    version: String,
}

pub(super) async fn handler(
    State(state): State<ApiState>,
    Identified(caller): Identified,
    Input(request): Input<Request>,
) -> Answer<Empty> {
    let app = state.app();
    let may = app.authorize_registered_model(&caller, Manage, &request.name).await?;
    let version = VersionReference::parse(&request.version)?;
    app.delete_model_version(&caller, &may, version).await?;
    Ok(Json(Empty {}))
}
