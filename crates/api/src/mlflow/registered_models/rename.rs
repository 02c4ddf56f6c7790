//! `POST registered-models/rename`: takes MANAGE on the old name and the right to create the new one.

use axum::Json;
use sealyard_identity::Manage;
use serde::{Deserialize, Serialize};

use super::super::view::RegisteredModelView;
use crate::http::{Answer, Identified, InWorkspace, Input};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Request {
    name: String,
    new_name: String,
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
    let may = app.authorize_registered_model(&caller, Manage, &request.name).await?;
    let to = app.authorize_registered_model_creation(&caller, &request.new_name, may.resource().is_prompt()).await?;
    let model = app.rename_registered_model(&caller, &may, &to).await?;
    Ok(Json(Response { registered_model: model.into() }))
}
