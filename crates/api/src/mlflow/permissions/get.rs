//! `GET …/permissions/get`: what a user was given.

use axum::Json;
use serde_json::Value;

use super::kind::{Kind, Request};
use crate::http::{Answer, Identified, InWorkspace, Input};

pub(super) async fn handler<K: Kind>(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Input(request): Input<Request>,
) -> Answer<Value> {
    let app = state.app();
    let may = request.authorize::<K>(app, &caller).await?;
    let found = app.permission(&may, &request.username).await;
    let (user, level) = found.map_err(|error| request.explain::<K>(error))?;
    Ok(Json(request.answer::<K>(app, user, level)))
}
