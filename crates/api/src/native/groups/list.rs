//! `GET groups`: all of them, those that providers of identities tell of too. Administrators only.

use axum::Json;
use sealyard_app::GroupSummary;
use sealyard_identity::{Administer, UserDirectory};
use serde::Serialize;

use crate::http::{Answer, Identified, InWorkspace};

#[derive(Debug, Serialize)]
pub(super) struct Response {
    groups: Vec<GroupSummary>,
}

pub(super) async fn handler(InWorkspace(state): InWorkspace, Identified(caller): Identified) -> Answer<Response> {
    let app = state.app();
    let may = app.authorize(&caller, Administer, UserDirectory).await?;
    Ok(Json(Response { groups: app.groups(&may).await? }))
}
