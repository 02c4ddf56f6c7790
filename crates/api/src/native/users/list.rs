//! `GET users`: all accounts. Administrators only.

use axum::Json;
use sealyard_app::AccountSummary;
use sealyard_identity::{Administer, UserDirectory};
use serde::Serialize;

use crate::http::{Answer, Identified, InWorkspace};

#[derive(Debug, Serialize)]
pub(super) struct Response {
    users: Vec<AccountSummary>,
}

pub(super) async fn handler(InWorkspace(state): InWorkspace, Identified(caller): Identified) -> Answer<Response> {
    let app = state.app();
    let may = app.authorize(&caller, Administer, UserDirectory).await?;
    Ok(Json(Response { users: app.accounts(&may).await? }))
}
