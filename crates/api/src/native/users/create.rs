//! `POST users`: a person, with a password, or with `"service":true` a machine, which has none. Administrators only.

use axum::Json;
use sealyard_app::NewUser;
use sealyard_identity::{Administer, PrincipalName, UserDirectory};
use serde::Deserialize;

use crate::http::{Answer, ApiError, Empty, Identified, InWorkspace, SecretText, Strict};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Request {
    name: String,
    #[serde(default)]
    password: Option<SecretText>,
    #[serde(default)]
    admin: bool,
    #[serde(default)]
    service: bool,
}

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Strict(request): Strict<Request>,
) -> Answer<Empty> {
    let app = state.app();
    let may = app.authorize(&caller, Administer, UserDirectory).await?;
    let name = PrincipalName::new(request.name).map_err(|error| ApiError::invalid(error.to_string()))?;
    match (request.service, request.password, request.admin) {
        (false, Some(password), admin) => {
            app.create_user(&caller, &may, NewUser { name, password: password.0, admin }).await?;
        }
        (true, None, false) => app.create_service_account(&caller, &may, name).await?,
        (true, ..) => return Err(ApiError::invalid("a machine's account has no password and is no administrator")),
        (false, None, _) => return Err(ApiError::invalid("'password' is missing")),
    }
    Ok(Json(Empty {}))
}
