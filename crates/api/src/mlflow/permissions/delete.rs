//! `DELETE experiments/permissions/delete` and `registered-models/permissions/delete`.

use axum::Json;

use super::{ExperimentRequest, ModelRequest};
use crate::http::{Answer, Empty, Identified, InWorkspace, Input};

pub(super) async fn experiment(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Input(request): Input<ExperimentRequest>,
) -> Answer<Empty> {
    let app = state.app();
    let may = request.authorize(app, &caller).await?;
    let deleted = app.delete_permission(&caller, &may, &request.username).await;
    deleted.map_err(|error| request.explain(error))?;
    Ok(Json(Empty {}))
}

pub(super) async fn model(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Input(request): Input<ModelRequest>,
) -> Answer<Empty> {
    let app = state.app();
    let may = request.authorize(app, &caller).await?;
    let deleted = app.delete_permission(&caller, &may, &request.username).await;
    deleted.map_err(|error| request.explain(error))?;
    Ok(Json(Empty {}))
}
