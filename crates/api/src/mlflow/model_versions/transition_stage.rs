//! `POST model-versions/transition-stage`: refused with the way to go. MLflow gave stages up for aliases, and only aliases
//! are what a policy protects: a second way to "Production" would be one around the gate.

use axum::extract::State;
use sealyard_identity::Edit;
use serde::Deserialize;

use crate::http::{Answer, ApiError, ApiState, Empty, Identified, Input};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Request {
    name: String,
}

pub(super) async fn handler(
    State(state): State<ApiState>,
    Identified(caller): Identified,
    Input(request): Input<Request>,
) -> Answer<Empty> {
    let _ = state.app().authorize_registered_model(&caller, Edit, &request.name).await?;
    Err(ApiError::invalid(
        "stages are not kept; set an alias instead: MlflowClient().set_registered_model_alias(name, alias, version)",
    ))
}
