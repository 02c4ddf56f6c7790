//! `POST runs/outputs`: logged models that a run made.

use axum::Json;
use sealyard_identity::Edit;
use sealyard_store::model::ModelOutput;
use serde::Deserialize;

use super::run_id;
use crate::http::{Answer, Empty, Identified, InWorkspace, Input, Integer};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Request {
    run_id: String,
    run_uuid: String,
    models: Vec<Model>,
}

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Input(request): Input<Request>,
) -> Answer<Empty> {
    let app = state.app();
    let id = run_id(&request.run_id, &request.run_uuid)?;
    let may = app.authorize_run(&caller, Edit, id).await?;
    let output = |model: Model| ModelOutput { model_id: model.model_id, step: model.step.map_or(0, |step| step.0) };
    let models = request.models.into_iter().map(output).collect();
    app.log_outputs(&may, id, models).await?;
    Ok(Json(Empty {}))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Model {
    model_id: String,
    step: Option<Integer>,
}
