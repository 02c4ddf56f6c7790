//! `GET tokens`: the caller's own, without the secrets; with `?user=` anybody's, for an administrator.

use axum::Json;
use sealyard_app::TokenSummary;
use serde::Serialize;

use super::Whose;
use crate::http::{Answer, Identified, InWorkspace, Strict};

#[derive(Debug, Serialize)]
pub(super) struct Response {
    tokens: Vec<TokenSummary>,
}

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Strict(whose): Strict<Whose>,
) -> Answer<Response> {
    let app = state.app();
    let tokens = match whose.name()? {
        Some(owner) => app.tokens_of(&caller, owner).await?,
        None => app.tokens(&caller).await?,
    };
    Ok(Json(Response { tokens }))
}
