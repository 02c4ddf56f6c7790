//! `PATCH users/update-admin`: administrators only. The last one stays.

use axum::Json;
use sealyard_identity::{Administer, UserDirectory};
use serde::Deserialize;

use super::missing;
use crate::http::{Answer, ApiError, Empty, Identified, InWorkspace, Input, required};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Request {
    username: String,
    is_admin: Option<bool>,
}

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Input(request): Input<Request>,
) -> Answer<Empty> {
    let app = state.app();
    let may = app.authorize(&caller, Administer, UserDirectory).await?;
    let name = required("username", &request.username)?;
    let admin =
        request.is_admin.ok_or_else(|| ApiError::invalid("Missing value for required parameter 'is_admin'."))?;
    app.set_administrator(&caller, &may, name, admin).await.map_err(missing)?;
    Ok(Json(Empty {}))
}
