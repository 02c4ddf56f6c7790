//! `GET experiments/get`.

use axum::Json;
use sealyard_identity::Read;
use serde::{Deserialize, Serialize};

use super::super::view::ExperimentView;
use crate::http::{Answer, Identified, InWorkspace, Input, required};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::mlflow) struct Request {
    experiment_id: String,
}

#[derive(Debug, Serialize)]
pub(in crate::mlflow) struct Response {
    experiment: ExperimentView,
}

pub(in crate::mlflow) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Input(request): Input<Request>,
) -> Answer<Response> {
    let app = state.app();
    let id = required("experiment_id", &request.experiment_id)?;
    let may = app.authorize_experiment(&caller, Read, id).await?;
    Ok(Json(Response { experiment: app.experiment(&may).await?.into() }))
}
