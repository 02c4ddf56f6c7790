//! `POST roles/assign`.

use axum::Json;
use serde::Serialize;

use super::view::MemberView;
use super::{MemberRequest, explain, id};
use crate::http::{Answer, Identified, InWorkspace, Input, required};

#[derive(Debug, Serialize)]
pub(super) struct Response {
    assignment: MemberView,
}

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Input(request): Input<MemberRequest>,
) -> Answer<Response> {
    let app = state.app();
    let id = id("role_id", request.role_id)?;
    let made = app.assign_role(&caller, required("username", &request.username)?, id).await.map_err(explain)?;
    Ok(Json(Response { assignment: made.into() }))
}
