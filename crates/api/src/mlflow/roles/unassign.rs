//! `DELETE roles/unassign`.

use axum::Json;

use super::{MemberRequest, explain, id};
use crate::http::{Answer, Empty, Identified, InWorkspace, Input, required};

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Input(request): Input<MemberRequest>,
) -> Answer<Empty> {
    let app = state.app();
    let id = id("role_id", request.role_id)?;
    app.unassign_role(&caller, required("username", &request.username)?, id).await.map_err(explain)?;
    Ok(Json(Empty {}))
}
