//! `POST …/permissions/create`: gives a user what it does not have yet.

use axum::Json;
use sealyard_app::PermissionLevel;
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
    let level = PermissionLevel::parse(&request.permission)?;
    let made = app.create_permission(&caller, &may, &request.username, level).await;
    let user = made.map_err(|error| request.explain::<K>(error))?;
    Ok(Json(request.answer::<K>(app, user, level)))
}
