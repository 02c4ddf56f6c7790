//! `GET server-info` of version 3: what a client asks before its first upload.

use axum::Json;
use serde::Serialize;

use crate::http::{Answer, Identified, InWorkspace};

#[derive(Debug, Serialize)]
pub(super) struct Response {
    store_type: &'static str,
    workspaces_enabled: bool,
}

pub(super) async fn handler(InWorkspace(state): InWorkspace, Identified(_): Identified) -> Answer<Response> {
    Ok(Json(Response { store_type: "SqlStore", workspaces_enabled: state.app().workspaces_enabled() }))
}
