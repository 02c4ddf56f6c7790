//! `GET experiments/get-by-name`: clients create the experiment when this says `RESOURCE_DOES_NOT_EXIST`.

use axum::Json;
use sealyard_app::AppError;
use sealyard_identity::Read;
use serde::{Deserialize, Serialize};

use super::super::view::ExperimentView;
use crate::http::{Answer, ApiError, ErrorCode, Identified, InWorkspace, Input, required};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Request {
    experiment_name: String,
}

#[derive(Debug, Serialize)]
pub(super) struct Response {
    experiment: ExperimentView,
}

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Input(request): Input<Request>,
) -> Answer<Response> {
    let app = state.app();
    let name = required("experiment_name", &request.experiment_name)?;
    let may = app.authorize_experiment_named(&caller, Read, name).await.map_err(|error| match error {
        AppError::NotFound { id, .. } => {
            ApiError::new(ErrorCode::ResourceDoesNotExist, format!("Could not find experiment with name '{id}'"))
        }
        other => other.into(),
    })?;
    Ok(Json(Response { experiment: app.experiment(&may).await?.into() }))
}
