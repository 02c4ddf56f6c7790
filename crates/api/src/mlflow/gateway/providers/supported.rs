//! `GET gateway/supported-providers`: names of model providers.

use axum::Json;
use sealyard_app::supported_providers;
use serde::Serialize;

use crate::http::{Answer, Identified};

#[derive(Debug, Serialize)]
pub(super) struct Response {
    providers: &'static [String],
}

pub(super) async fn handler(Identified(_): Identified) -> Answer<Response> {
    Ok(Json(Response { providers: supported_providers() }))
}
