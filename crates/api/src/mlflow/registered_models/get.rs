//! `GET registered-models/get`.

use axum::Json;
use sealyard_identity::Read;
use serde::{Deserialize, Serialize};

use super::super::view::RegisteredModelView;
use crate::http::{Answer, Identified, InWorkspace, Input};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Request {
    name: String,
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
    let may = app.authorize_registered_model(&caller, Read, &request.name).await?;
    Ok(Json(Response { registered_model: app.registered_model(&may).await?.into() }))
}
