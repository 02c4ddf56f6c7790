//! `POST users/create`: administrators only. The password must be good enough.

use axum::Json;
use sealyard_app::{AppError, NewUser};
use sealyard_identity::{Administer, PrincipalName, UserDirectory};
use serde::Deserialize;

use super::view::Response;
use crate::http::{Answer, ApiError, ErrorCode, Identified, InWorkspace, Input, SecretText};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Request {
    username: String,
    password: SecretText,
}

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Input(request): Input<Request>,
) -> Answer<Response> {
    let app = state.app();
    let may = app.authorize(&caller, Administer, UserDirectory).await?;
    if request.username.is_empty() || request.password.0.expose().is_empty() {
        return Err(ApiError::invalid("Username and password cannot be empty."));
    }
    let name = PrincipalName::new(request.username).map_err(|error| ApiError::invalid(error.to_string()))?;
    let new = NewUser { name, password: request.password.0, admin: false };
    let made = app.create_and_show_user(&caller, &may, new).await.map_err(|error| match error {
        AppError::AlreadyExists { id, .. } => {
            ApiError::new(ErrorCode::ResourceAlreadyExists, format!("User (username={id}) already exists."))
        }
        other => other.into(),
    })?;
    Ok(Json(Response { user: made.into() }))
}
