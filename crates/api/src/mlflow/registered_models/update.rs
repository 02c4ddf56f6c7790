//! `PATCH registered-models/update`: another description.

use axum::Json;
use sealyard_identity::Edit;
use serde::{Deserialize, Serialize};

use super::super::view::RegisteredModelView;
use crate::http::{Answer, Identified, InWorkspace, Input};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Request {
    name: String,
    description: String,
}

#[derive(Debug, Serialize)]
pub(super) struct Response {
    registered_model: RegisteredModelView,
}

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Input(request): Input<Request>,
) -> Answer<Response> {
    let app = state.app();
    let may = app.authorize_registered_model(&caller, Edit, &request.name).await?;
    let model = app.describe_registered_model(&may, request.description).await?;
    Ok(Json(Response { registered_model: model.into() }))
}
