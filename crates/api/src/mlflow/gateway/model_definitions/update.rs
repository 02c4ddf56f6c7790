//! `POST gateway/model-definitions/update`: what is absent or empty stays as it is. Another secret, or another provider for
//! the present one, takes USE on the secret.

use axum::Json;
use sealyard_app::DefinitionChange;
use sealyard_identity::{Edit, Use};
use serde::Deserialize;

use super::super::some;
use super::view::Response;
use crate::http::{Answer, Identified, InWorkspace, Input, required};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Request {
    model_definition_id: String,
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
    let id = required("model_definition_id", &request.model_definition_id)?;
    let may = app.authorize_gateway(&caller, Edit, id).await?;
    let secret = match some(request.secret_id) {
        Some(secret) => Some(app.authorize_gateway(&caller, Use, &secret).await?),
        None => None,
    };
    let change = DefinitionChange {
        name: some(request.name),
        secret,
        provider: some(request.provider),
        model_name: some(request.model_name),
    };
    Ok(Json(app.update_gateway_definition(&caller, &may, change).await?.into()))
}
