//! `GET users/get`: the caller itself; anybody for administrators.

use axum::Json;
use serde::Deserialize;

use super::missing;
use super::view::Response;
use crate::http::{Answer, Identified, InWorkspace, Input, required};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Request {
    username: String,
}

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Input(request): Input<Request>,
) -> Answer<Response> {
    let name = required("username", &request.username)?;
    let user = state.app().user_details(&caller, name).await.map_err(missing)?;
    Ok(Json(Response { user: user.into() }))
}
