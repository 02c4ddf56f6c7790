//! `PATCH roles/update`.

use axum::Json;
use sealyard_app::RoleChange;
use serde::Deserialize;

use super::view::RoleResponse;
use super::{explain, id};
use crate::http::{Answer, Identified, InWorkspace, Input, Integer};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Request {
    role_id: Option<Integer>,
    name: Option<String>,
    description: Option<String>,
}

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Input(request): Input<Request>,
) -> Answer<RoleResponse> {
    let app = state.app();
    let id = id("role_id", request.role_id)?;
    let change = RoleChange { name: request.name, description: request.description };
    Ok(Json(app.update_role(&caller, id, change).await.map_err(explain)?.into()))
}
