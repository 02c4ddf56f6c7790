//! `POST ui-telemetry` of version 3: tells pages that report nevertheless to stop. Nothing of it is read.

use axum::Json;
use serde::Serialize;

use crate::http::{Answer, Identified};

#[derive(Debug, Serialize)]
pub(super) struct Response {
    status: &'static str,
}

pub(super) async fn handler(Identified(_): Identified) -> Answer<Response> {
    Ok(Json(Response { status: "disabled" }))
}
