//! `GET gateway/provider-config`: the ways in which a provider can be asked, and the fields that each needs.

use axum::Json;
use sealyard_app::{ProviderConfig, provider_config};
use serde::Deserialize;

use crate::http::{Answer, Identified, Input, required};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Request {
    provider: String,
}

pub(super) async fn handler(Identified(_): Identified, Input(request): Input<Request>) -> Answer<ProviderConfig> {
    Ok(Json(provider_config(required("provider", &request.provider)?)?))
}
