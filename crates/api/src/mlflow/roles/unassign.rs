//! `DELETE roles/unassign`.

use axum::Json;
use axum::extract::State;

use super::{MemberRequest, explain, id};
use crate::http::{Answer, ApiState, Empty, Identified, Input, required};

pub(super) async fn handler(
    State(state): State<ApiState>,
    Identified(caller): Identified,
    Input(request): Input<MemberRequest>,
) -> Answer<Empty> {
    let app = state.app();
    let id = id("role_id", request.role_id)?;
    app.unassign_role(&caller, required("username", &request.username)?, id).await.map_err(explain)?;
    Ok(Json(Empty {}))
}
