//! `GET users/roles/list`: one's own; of others for administrators, and as far as one may MANAGE the workspaces.

use axum::Json;
use serde::Deserialize;

use super::explain;
use super::view::RolesResponse;
use crate::http::{Answer, Identified, InWorkspace, Input, required};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Request {
    username: String,
}

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Input(request): Input<Request>,
) -> Answer<RolesResponse> {
    let app = state.app();
    let found = app.roles_of(&caller, required("username", &request.username)?).await;
    Ok(Json(found.map_err(explain)?.into()))
}
