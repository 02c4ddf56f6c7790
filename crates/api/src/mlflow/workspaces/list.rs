//! `GET workspaces` of version 3: those in which the caller has any right, and the default one.

use axum::Json;
use sealyard_app::WorkspaceSummary;
use serde::Serialize;

use super::check_enabled;
use crate::http::{Answer, Identified, InWorkspace};

#[derive(Debug, Serialize)]
pub(super) struct Response {
    workspaces: Vec<WorkspaceSummary>,
}

pub(super) async fn handler(InWorkspace(state): InWorkspace, Identified(caller): Identified) -> Answer<Response> {
    let app = state.app();
    check_enabled(app)?;
    Ok(Json(Response { workspaces: app.workspaces(&caller).await? }))
}
