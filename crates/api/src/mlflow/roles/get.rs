//! `GET roles/get`.

use axum::Json;

use super::view::RoleResponse;
use super::{RoleRequest, explain, id};
use crate::http::{Answer, Identified, InWorkspace, Input};

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Input(request): Input<RoleRequest>,
) -> Answer<RoleResponse> {
    let app = state.app();
    let id = id("role_id", request.role_id)?;
    Ok(Json(app.role(&caller, id).await.map_err(explain)?.into()))
}
