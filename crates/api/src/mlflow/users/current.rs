//! `GET users/current`: who the caller is.

use axum::Json;
use serde::Serialize;

use super::view::PlainUserView;
use crate::http::{Answer, Identified, InWorkspace};

#[derive(Debug, Serialize)]
pub(super) struct Response {
    user: PlainUserView,
}

pub(super) async fn handler(InWorkspace(state): InWorkspace, Identified(caller): Identified) -> Answer<Response> {
    Ok(Json(Response { user: state.app().current_user(&caller).await?.into() }))
}
