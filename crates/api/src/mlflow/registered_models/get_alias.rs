//! `GET registered-models/alias`: the version it points at.

use axum::Json;
use sealyard_identity::Read;
use serde::{Deserialize, Serialize};

use super::super::view::ModelVersionView;
use crate::http::{Answer, Identified, InWorkspace, Input, required};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Request {
    name: String,
    alias: String,
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
    let may = app.authorize_registered_model(&caller, Read, &request.name).await?;
    let alias = required("alias", &request.alias)?;
    Ok(Json(Response { model_version: app.model_version_by_alias(&may, alias).await?.into() }))
}
