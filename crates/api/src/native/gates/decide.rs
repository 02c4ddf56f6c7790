//! `POST decisions`: what a gate would say now. Nothing comes of it.

use axum::Json;
use sealyard_app::GateOutcome;
use sealyard_gate::Stage;
use sealyard_identity::Read;
use serde::Deserialize;

use crate::http::{Answer, ApiError, Identified, InWorkspace, Strict};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Request {
    name: String,
    version: u32,
    stage: String,
    #[serde(default)]
    environment: Option<String>,
}

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Strict(request): Strict<Request>,
) -> Answer<GateOutcome> {
    let app = state.app();
    let may = app.authorize_registered_model(&caller, Read, &request.name).await?;
    let stage: Stage = request.stage.parse().map_err(ApiError::invalid)?;
    Ok(Json(app.gate_check(&caller, &may, request.version, stage, request.environment).await?))
}
