//! `GET roles/list`: of one workspace, or of all for administrators.

use axum::Json;
use serde::Deserialize;

use super::explain;
use super::view::RolesResponse;
use crate::http::{Answer, Identified, InWorkspace, Input};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Request {
    workspace: Option<String>,
}

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Input(request): Input<Request>,
) -> Answer<RolesResponse> {
    let app = state.app();
    Ok(Json(app.roles(&caller, request.workspace).await.map_err(explain)?.into()))
}
