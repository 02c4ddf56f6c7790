//! `POST users`: administrators only.

use axum::Json;
use axum::extract::State;
use sealyard_app::NewUser;
use sealyard_core::Redacted;
use sealyard_identity::{Administer, PrincipalName, UserDirectory};
use serde::Deserialize;

use crate::http::{Answer, ApiError, ApiState, Empty, Identified, Strict};

/// It has no `Debug` that shows the password: the field is a secret from the moment it is read.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Request {
    name: String,
    password: Password,
    #[serde(default)]
    admin: bool,
}

#[derive(Deserialize)]
#[serde(from = "String")]
struct Password(Redacted<String>);

impl From<String> for Password {
    fn from(text: String) -> Self {
        Self(Redacted::new(text))
    }
}

pub(super) async fn handler(
    State(state): State<ApiState>,
    Identified(caller): Identified,
    Strict(request): Strict<Request>,
) -> Answer<Empty> {
    let app = state.app();
    let may = app.authorize(&caller, Administer, UserDirectory).await?;
    let name = PrincipalName::new(request.name).map_err(|error| ApiError::invalid(error.to_string()))?;
    app.create_user(&caller, &may, NewUser { name, password: request.password.0, admin: request.admin }).await?;
    Ok(Json(Empty {}))
}
