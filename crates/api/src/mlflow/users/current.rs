//! `GET users/current`: who the caller is.

use axum::Json;
use axum::extract::State;
use serde::Serialize;

use super::view::PlainUserView;
use crate::http::{Answer, ApiState, Identified};

#[derive(Debug, Serialize)]
pub(super) struct Response {
    user: PlainUserView,
}

pub(super) async fn handler(State(state): State<ApiState>, Identified(caller): Identified) -> Answer<Response> {
    Ok(Json(Response { user: state.app().current_user(&caller).await?.into() }))
}
