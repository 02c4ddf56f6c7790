//! `POST gateway/model-definitions/create`: takes EDIT on the server or on all model definitions, and USE on the secret.

use axum::Json;
use sealyard_app::{MayCreateInGateway, NewDefinition};
use sealyard_identity::{GatewayModelDefinitionId, Use};
use serde::Deserialize;

use super::view::Response;
use crate::http::{Answer, Identified, InWorkspace, Input, required};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Request {
    name: String,
    secret_id: String,
    provider: String,
    model_name: String,
}

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Input(request): Input<Request>,
) -> Answer<Response> {
    let app = state.app();
    let may: MayCreateInGateway<GatewayModelDefinitionId> = app.authorize_gateway_creation(&caller).await?;
    let secret = app.authorize_gateway(&caller, Use, required("secret_id", &request.secret_id)?).await?;
    required("name", &request.name)?;
    required("provider", &request.provider)?;
    required("model_name", &request.model_name)?;
    let Request { name, provider, model_name, .. } = request;
    let new = NewDefinition { name, secret, provider, model_name };
    Ok(Json(app.create_gateway_definition(&caller, &may, new).await?.into()))
}
