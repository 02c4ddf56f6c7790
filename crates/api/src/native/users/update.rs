//! `PATCH users/<name>`: another password, an administrator or none, disabled or enabled. Administrators only; one's own password takes the
//! present one, which `mlflow/users/update-password` asks for.

use axum::Json;
use axum::extract::Path;
use sealyard_identity::{Administer, UserDirectory};
use serde::Deserialize;

use crate::http::{Answer, Empty, Identified, InWorkspace, SecretText, Strict};

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Request {
    password: Option<SecretText>,
    current_password: Option<SecretText>,
    admin: Option<bool>,
    disabled: Option<bool>,
}

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Path(name): Path<String>,
    Strict(request): Strict<Request>,
) -> Answer<Empty> {
    let app = state.app();
    let may = app.authorize(&caller, Administer, UserDirectory).await?;
    if let Some(password) = request.password {
        app.set_password(&caller, &name, password.0, request.current_password.map(|text| text.0)).await?;
    }
    if let Some(admin) = request.admin {
        app.set_administrator(&caller, &may, &name, admin).await?;
    }
    if let Some(disabled) = request.disabled {
        app.set_disabled(&caller, &may, &name, disabled).await?;
    }
    Ok(Json(Empty {}))
}
