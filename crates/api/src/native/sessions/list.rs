//! `GET sessions`: the browsers that the caller is logged in with; with `?user=` anybody, for an administrator.

use axum::Json;
use sealyard_app::SessionSummary;
use serde::Serialize;

use super::Whose;
use crate::http::{Answer, Identified, InWorkspace, Strict};

#[derive(Debug, Serialize)]
pub(super) struct Response {
    sessions: Vec<SessionSummary>,
}

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Strict(whose): Strict<Whose>,
) -> Answer<Response> {
    Ok(Json(Response { sessions: state.app().sessions_of(&caller, whose.name()?).await? }))
}
