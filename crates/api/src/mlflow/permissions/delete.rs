//! `DELETE …/permissions/delete`: takes what a user was given.

use axum::Json;

use super::kind::{Kind, Request};
use crate::http::{Answer, Empty, Identified, InWorkspace, Input};

pub(super) async fn handler<K: Kind>(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Input(request): Input<Request>,
) -> Answer<Empty> {
    let app = state.app();
    let may = request.authorize::<K>(app, &caller).await?;
    let deleted = app.delete_permission(&caller, &may, &request.username).await;
    deleted.map_err(|error| request.explain::<K>(error))?;
    Ok(Json(Empty {}))
}
