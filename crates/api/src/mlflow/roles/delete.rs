//! `DELETE roles/delete`.

use axum::Json;

use super::{RoleRequest, explain, id};
use crate::http::{Answer, Empty, Identified, InWorkspace, Input};

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Input(request): Input<RoleRequest>,
) -> Answer<Empty> {
    let app = state.app();
    app.delete_role(&caller, id("role_id", request.role_id)?).await.map_err(explain)?;
    Ok(Json(Empty {}))
}
