//! `GET gateway/secrets/list`: secrets, masked; those of a provider, or all.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};

use super::super::some;
use super::view::SecretView;
use crate::http::{Answer, ApiState, Identified, Input};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Request {
    provider: String,
}

#[derive(Debug, Serialize)]
pub(super) struct Response {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    secrets: Vec<SecretView>,
}

pub(super) async fn handler(
    State(state): State<ApiState>,
    Identified(caller): Identified,
    Input(request): Input<Request>,
) -> Answer<Response> {
    let found = state.app().gateway_secrets(&caller, some(request.provider)).await?;
    Ok(Json(Response { secrets: found.into_iter().map(SecretView::from).collect() }))
}
