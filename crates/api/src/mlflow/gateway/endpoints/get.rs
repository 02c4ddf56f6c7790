//! `GET gateway/endpoints/get`: an endpoint with its models, by id or by name.

use axum::Json;
use sealyard_identity::Read;
use serde::Deserialize;

use super::view::Response;
use crate::http::{Answer, ApiError, Identified, InWorkspace, Input};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Request {
    endpoint_id: String,
    name: String,
}

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Input(request): Input<Request>,
) -> Answer<Response> {
    let app = state.app();
    let may = match (request.endpoint_id.as_str(), request.name.as_str()) {
        ("", "") => return Err(ApiError::invalid("Exactly one of endpoint_id or name must be provided")),
        (id, "") => app.authorize_gateway(&caller, Read, id).await?,
        ("", name) => app.authorize_gateway_endpoint_named(&caller, Read, name).await?,
        _ => return Err(ApiError::invalid("Exactly one of endpoint_id or name must be provided")),
    };
    Ok(Json(app.gateway_endpoint(&may).await?.into()))
}
