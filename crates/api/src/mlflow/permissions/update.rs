//! `PATCH …/permissions/update`: changes what a user was given.

use axum::Json;
use sealyard_app::PermissionLevel;

use super::kind::{Kind, Request};
use crate::http::{Answer, Empty, Identified, InWorkspace, Input};

pub(super) async fn handler<K: Kind>(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Input(request): Input<Request>,
) -> Answer<Empty> {
    let app = state.app();
    let may = request.authorize::<K>(app, &caller).await?;
    let level = PermissionLevel::parse(&request.permission)?;
    let changed = app.update_permission(&caller, &may, &request.username, level).await;
    changed.map_err(|error| request.explain::<K>(error))?;
    Ok(Json(Empty {}))
}
