//! `PUT groups/<name>/roles/<number>` and `DELETE` of it: gives a role to all of a group, or takes it. Administrators only.

use axum::Json;
use axum::extract::Path;
use sealyard_identity::{Administer, UserDirectory};

use crate::http::{Answer, Empty, Identified, InWorkspace};

pub(super) async fn add(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Path((group, role)): Path<(String, i64)>,
) -> Answer<Empty> {
    let app = state.app();
    let may = app.authorize(&caller, Administer, UserDirectory).await?;
    app.set_group_role(&caller, &may, &group, role, true).await?;
    Ok(Json(Empty {}))
}

pub(super) async fn remove(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Path((group, role)): Path<(String, i64)>,
) -> Answer<Empty> {
    let app = state.app();
    let may = app.authorize(&caller, Administer, UserDirectory).await?;
    app.set_group_role(&caller, &may, &group, role, false).await?;
    Ok(Json(Empty {}))
}
