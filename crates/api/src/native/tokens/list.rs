//! `GET tokens`: the caller's own, without the secrets.

use axum::Json;
use axum::extract::State;
use sealyard_app::TokenSummary;
use serde::Serialize;

use crate::http::{Answer, ApiState, Identified};

#[derive(Debug, Serialize)]
pub(super) struct Response {
    tokens: Vec<TokenSummary>,
}

pub(super) async fn handler(State(state): State<ApiState>, Identified(caller): Identified) -> Answer<Response> {
    let app = state.app();
    Ok(Json(Response { tokens: app.tokens(&caller).await? }))
}
