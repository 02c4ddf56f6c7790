//! `POST roles/create`.

use axum::Json;
use serde::Deserialize;

use super::explain;
use super::view::RoleResponse;
use crate::http::{Answer, Identified, InWorkspace, Input, required};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Request {
    name: String,
    workspace: String,
    description: Option<String>,
}

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Input(request): Input<Request>,
) -> Answer<RoleResponse> {
    let app = state.app();
    let workspace = required("workspace", &request.workspace)?;
    let made = app.create_role(&caller, workspace, &request.name, request.description).await;
    Ok(Json(made.map_err(explain)?.into()))
}
