//! `POST gateway/secrets/update`: other keys, or another configuration. What is absent or empty stays as it is.

use std::collections::BTreeMap;

use axum::Json;
use sealyard_identity::Edit;
use serde::Deserialize;

use super::view::Response;
use crate::http::{Answer, Identified, InWorkspace, Input, SecretFields, required};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Request {
    secret_id: String,
    secret_value: Option<SecretFields>,
    auth_config: BTreeMap<String, String>,
}

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Input(request): Input<Request>,
) -> Answer<Response> {
    let app = state.app();
    let may = app.authorize_gateway(&caller, Edit, required("secret_id", &request.secret_id)?).await?;
    let values = request.secret_value.map(|values| values.checked("secret_value")).transpose()?;
    let values = values.filter(|values| !values.is_empty());
    let config = Some(request.auth_config).filter(|config| !config.is_empty());
    Ok(Json(app.update_gateway_secret(&caller, &may, values, config).await?.into()))
}
