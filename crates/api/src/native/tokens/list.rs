//! `GET tokens`: the caller's own, without the secrets.

use axum::Json;
use sealyard_app::TokenSummary;
use serde::Serialize;

use crate::http::{Answer, Identified, InWorkspace};

#[derive(Debug, Serialize)]
pub(super) struct Response {
    tokens: Vec<TokenSummary>,
}

pub(super) async fn handler(InWorkspace(state): InWorkspace, Identified(caller): Identified) -> Answer<Response> {
    let app = state.app();
    Ok(Json(Response { tokens: app.tokens(&caller).await? }))
}
