//! `POST gateway/secrets/create`: keeps keys of a model provider, sealed. Takes EDIT on the server or on all secrets; who made
//! it is who asks, whatever the request says.

use std::collections::BTreeMap;

use axum::Json;
use sealyard_app::{MayCreateInGateway, NewSecret};
use sealyard_identity::GatewaySecretId;
use serde::Deserialize;

use super::super::some;
use super::view::Response;
use crate::http::{Answer, ApiError, Identified, InWorkspace, Input, SecretFields, required};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Request {
    secret_name: String,
    secret_value: Option<SecretFields>,
    provider: String,
    auth_config: BTreeMap<String, String>,
}

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Input(request): Input<Request>,
) -> Answer<Response> {
    let app = state.app();
    let may: MayCreateInGateway<GatewaySecretId> = app.authorize_gateway_creation(&caller).await?;
    required("secret_name", &request.secret_name)?;
    let missing = || ApiError::invalid("Missing value for required parameter 'secret_value'.");
    let values = request.secret_value.ok_or_else(missing)?.checked("secret_value")?;
    let provider = some(request.provider);
    let new = NewSecret { name: request.secret_name, values, provider, auth_config: request.auth_config };
    Ok(Json(app.create_gateway_secret(&caller, &may, new).await?.into()))
}
