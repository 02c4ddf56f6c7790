//! `PATCH users/update-password`: one's own, with the present one; anybody else's for administrators. The user's other
//! tokens end.

use axum::Json;
use serde::Deserialize;

use super::missing;
use crate::http::{Answer, ApiError, Empty, Identified, InWorkspace, Input, SecretText, required};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Request {
    username: String,
    password: SecretText,
    current_password: Option<SecretText>,
}

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Input(request): Input<Request>,
) -> Answer<Empty> {
    let name = required("username", &request.username)?;
    if request.password.0.expose().is_empty() {
        return Err(ApiError::invalid("Missing value for required parameter 'password'."));
    }
    let present = request.current_password.map(|present| present.0);
    state.app().set_password(&caller, name, request.password.0, present).await.map_err(missing)?;
    Ok(Json(Empty {}))
}
