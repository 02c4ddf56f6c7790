//! `GET roles/users/list`: who has a role.

use axum::Json;
use serde::Serialize;

use super::view::MemberView;
use super::{RoleRequest, explain, id};
use crate::http::{Answer, Identified, InWorkspace, Input};

#[derive(Debug, Serialize)]
pub(super) struct Response {
    assignments: Vec<MemberView>,
}

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Input(request): Input<RoleRequest>,
) -> Answer<Response> {
    let app = state.app();
    let found = app.role_members(&caller, id("role_id", request.role_id)?).await.map_err(explain)?;
    Ok(Json(Response { assignments: found.into_iter().map(MemberView::from).collect() }))
}
