//! `PATCH experiments/permissions/update` and `registered-models/permissions/update`.

use super::{ExperimentRequest, ModelRequest};
use crate::http::{Answer, Empty, Identified, InWorkspace, Input};
use axum::Json;
use sealyard_app::PermissionLevel;

pub(super) async fn experiment(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Input(request): Input<ExperimentRequest>,
) -> Answer<Empty> {
    let app = state.app();
    let may = request.authorize(app, &caller).await?;
    let level = PermissionLevel::parse(&request.permission)?;
    let changed = app.update_permission(&caller, &may, &request.username, level).await;
    changed.map_err(|error| request.explain(error))?;
    Ok(Json(Empty {}))
}

pub(super) async fn model(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Input(request): Input<ModelRequest>,
) -> Answer<Empty> {
    let app = state.app();
    let may = request.authorize(app, &caller).await?;
    let level = PermissionLevel::parse(&request.permission)?;
    let changed = app.update_permission(&caller, &may, &request.username, level).await;
    changed.map_err(|error| request.explain(error))?;
    Ok(Json(Empty {}))
}
