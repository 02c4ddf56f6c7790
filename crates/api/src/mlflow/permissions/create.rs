//! `POST experiments/permissions/create` and `registered-models/permissions/create`.

use super::view::{ExperimentPermissionView, ExperimentResponse, ModelPermissionView, ModelResponse};
use super::{ExperimentRequest, ModelRequest};
use crate::http::{Answer, Identified, InWorkspace, Input};
use axum::Json;
use sealyard_app::PermissionLevel;

pub(super) async fn experiment(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Input(request): Input<ExperimentRequest>,
) -> Answer<ExperimentResponse> {
    let app = state.app();
    let may = request.authorize(app, &caller).await?;
    let level = PermissionLevel::parse(&request.permission)?;
    let made = app.create_permission(&caller, &may, &request.username, level).await;
    let user = made.map_err(|error| request.explain(error))?;
    let experiment_permission = ExperimentPermissionView::new(request.experiment_id, user, level);
    Ok(Json(ExperimentResponse { experiment_permission }))
}

pub(super) async fn model(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Input(request): Input<ModelRequest>,
) -> Answer<ModelResponse> {
    let app = state.app();
    let may = request.authorize(app, &caller).await?;
    let level = PermissionLevel::parse(&request.permission)?;
    let made = app.create_permission(&caller, &may, &request.username, level).await;
    let user = made.map_err(|error| request.explain(error))?;
    let registered_model_permission = ModelPermissionView::new(app.workspace().to_string(), request.name, user, level);
    Ok(Json(ModelResponse { registered_model_permission }))
}
