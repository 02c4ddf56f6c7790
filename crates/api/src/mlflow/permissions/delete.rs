//! `DELETE experiments/permissions/delete` and `registered-models/permissions/delete`.

use axum::Json;
use axum::extract::State;

use super::{ExperimentRequest, ModelRequest};
use crate::http::{Answer, ApiState, Empty, Identified, Input};

pub(super) async fn experiment(
    State(state): State<ApiState>,
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
    State(state): State<ApiState>,
    Identified(caller): Identified,
    Input(request): Input<ModelRequest>,
) -> Answer<Empty> {
    let app = state.app();
    let may = request.authorize(app, &caller).await?;
    let deleted = app.delete_permission(&caller, &may, &request.username).await;
    deleted.map_err(|error| request.explain(error))?;
    Ok(Json(Empty {}))
}
