//! `GET whoami`.

use axum::Json;
use sealyard_app::AppError;
use serde::Serialize;

use crate::http::{Answer, Identified};

#[derive(Debug, Serialize)]
pub(super) struct Response {
    name: String,
    admin: bool,
    /// What the token is limited to; absent when only grants limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    scopes: Option<Vec<String>>,
}

pub(super) async fn handler(Identified(caller): Identified) -> Answer<Response> {
    let principal = caller.principal().ok_or(AppError::Unauthenticated)?;
    Ok(Json(Response {
        name: principal.name.to_string(),
        admin: principal.admin,
        scopes: principal.scopes().map(|scopes| scopes.iter().map(ToString::to_string).collect()),
    }))
}
