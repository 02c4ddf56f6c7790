//! `GET ui-telemetry` of version 3: whether MLflow's pages may report what their users do. They may not.

use axum::Json;
use serde::Serialize;

use crate::http::{Answer, Identified};

#[derive(Debug, Serialize)]
pub(super) struct Response {
    disable_ui_telemetry: bool,
    disable_ui_events: [&'static str; 0],
    ui_rollout_percentage: u8,
}

pub(super) async fn handler(Identified(_): Identified) -> Answer<Response> {
    Ok(Json(Response { disable_ui_telemetry: true, disable_ui_events: [], ui_rollout_percentage: 0 }))
}
