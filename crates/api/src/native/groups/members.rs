//! `PUT groups/<name>/members/<user>` and `DELETE` of it: puts a user into a group of this server, or takes them out.
//! Administrators only.

use axum::Json;
use axum::extract::Path;
use sealyard_identity::{Administer, UserDirectory};

use crate::http::{Answer, Empty, Identified, InWorkspace};

pub(super) async fn add(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Path((group, user)): Path<(String, String)>,
) -> Answer<Empty> {
    let app = state.app();
    let may = app.authorize(&caller, Administer, UserDirectory).await?;
    app.set_group_member(&caller, &may, &group, &user, true).await?;
    Ok(Json(Empty {}))
}

pub(super) async fn remove(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Path((group, user)): Path<(String, String)>,
) -> Answer<Empty> {
    let app = state.app();
    let may = app.authorize(&caller, Administer, UserDirectory).await?;
    app.set_group_member(&caller, &may, &group, &user, false).await?;
    Ok(Json(Empty {}))
}
