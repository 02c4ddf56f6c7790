//! `POST model-versions/transition-stage`: a stage that the policy protects as an alias takes what that alias takes, so that
//! there is no second way to "Production" around the gate.

use axum::Json;
use sealyard_app::VersionReference;
use sealyard_identity::Edit;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::super::view::ModelVersionView;
use crate::http::{Answer, ApiError, Identified, InWorkspace, Input, required};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Request {
    name: String,
    version: String,
    stage: String,
    archive_existing_versions: Value,
}

#[derive(Debug, Serialize)]
pub(super) struct Response {
    model_version: ModelVersionView,
}

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Input(request): Input<Request>,
) -> Answer<Response> {
    let app = state.app();
    let may = app.authorize_registered_model(&caller, Edit, &request.name).await?;
    let version = VersionReference::parse(&request.version)?;
    let stage = required("stage", &request.stage)?;
    let archive = match &request.archive_existing_versions {
        Value::Null => false,
        Value::Bool(archive) => *archive,
        Value::String(text) if text == "true" => true,
        Value::String(text) if text == "false" => false,
        other => {
            let shown: String = other.to_string().chars().take(80).collect();
            return Err(ApiError::invalid(format!(
                "Invalid value {shown} for parameter 'archive_existing_versions' supplied: it must be true or false."
            )));
        }
    };
    let changed = app.set_stage(&caller, may.resource().name().clone(), version.number(), stage, archive).await?;
    Ok(Json(Response { model_version: changed.into() }))
}
