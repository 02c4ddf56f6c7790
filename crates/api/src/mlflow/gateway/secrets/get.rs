//! `GET gateway/secrets/get`: a secret, masked.

use axum::Json;
use sealyard_identity::Read;
use serde::Deserialize;

use super::view::Response;
use crate::http::{Answer, Identified, InWorkspace, Input, required};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Request {
    secret_id: String,
}

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Input(request): Input<Request>,
) -> Answer<Response> {
    let app = state.app();
    let may = app.authorize_gateway(&caller, Read, required("secret_id", &request.secret_id)?).await?;
    Ok(Json(app.gateway_secret(&may).await?.into()))
}
