//! `GET roles/get`.

use axum::Json;
use axum::extract::State;

use super::view::RoleResponse;
use super::{RoleRequest, explain, id};
use crate::http::{Answer, ApiState, Identified, Input};

pub(super) async fn handler(
    State(state): State<ApiState>,
    Identified(caller): Identified,
    Input(request): Input<RoleRequest>,
) -> Answer<RoleResponse> {
    let app = state.app();
    let id = id("role_id", request.role_id)?;
    Ok(Json(app.role(&caller, id).await.map_err(explain)?.into()))
}
