//! `DELETE roles/delete`.

use axum::Json;
use axum::extract::State;

use super::{RoleRequest, explain, id};
use crate::http::{Answer, ApiState, Empty, Identified, Input};

pub(super) async fn handler(
    State(state): State<ApiState>,
    Identified(caller): Identified,
    Input(request): Input<RoleRequest>,
) -> Answer<Empty> {
    let app = state.app();
    app.delete_role(&caller, id("role_id", request.role_id)?).await.map_err(explain)?;
    Ok(Json(Empty {}))
}
