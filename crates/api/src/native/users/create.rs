//! `POST users`: administrators only.

use axum::Json;
use sealyard_app::NewUser;
use sealyard_identity::{Administer, PrincipalName, UserDirectory};
use serde::Deserialize;

use crate::http::{Answer, ApiError, Empty, Identified, InWorkspace, SecretText, Strict};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Request {
    name: String,
    password: SecretText,
    #[serde(default)]
    admin: bool,
}

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Strict(request): Strict<Request>,
) -> Answer<Empty> {
    let app = state.app();
    let may = app.authorize(&caller, Administer, UserDirectory).await?;
    let name = PrincipalName::new(request.name).map_err(|error| ApiError::invalid(error.to_string()))?;
    app.create_user(&caller, &may, NewUser { name, password: request.password.0, admin: request.admin }).await?;
    Ok(Json(Empty {}))
}
