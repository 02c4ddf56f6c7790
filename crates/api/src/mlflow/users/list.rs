//! `GET users/list`: administrators only.

use axum::Json;
use sealyard_identity::{Administer, UserDirectory};
use serde::Serialize;

use super::view::PlainUserView;
use crate::http::{Answer, Identified, InWorkspace};

#[derive(Debug, Serialize)]
pub(super) struct Response {
    users: Vec<PlainUserView>,
}

pub(super) async fn handler(InWorkspace(state): InWorkspace, Identified(caller): Identified) -> Answer<Response> {
    let app = state.app();
    let may = app.authorize(&caller, Administer, UserDirectory).await?;
    Ok(Json(Response { users: app.users(&may).await?.into_iter().map(PlainUserView::from).collect() }))
}
