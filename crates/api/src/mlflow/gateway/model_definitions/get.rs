//! `GET gateway/model-definitions/get`: a model definition.

use axum::Json;
use sealyard_identity::Read;
use serde::Deserialize;

use super::view::Response;
use crate::http::{Answer, Identified, InWorkspace, Input, required};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Request {
    model_definition_id: String,
}

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Input(request): Input<Request>,
) -> Answer<Response> {
    let app = state.app();
    let id = required("model_definition_id", &request.model_definition_id)?;
    let may = app.authorize_gateway(&caller, Read, id).await?;
    Ok(Json(app.gateway_definition(&may).await?.into()))
}
