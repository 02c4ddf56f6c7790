//! `GET gateway/secrets/list`: secrets, masked; those of a provider, or all.

use axum::Json;
use serde::{Deserialize, Serialize};

use super::super::some;
use super::view::SecretView;
use crate::http::{Answer, Identified, InWorkspace, Input};

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
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Input(request): Input<Request>,
) -> Answer<Response> {
    let found = state.app().gateway_secrets(&caller, some(request.provider)).await?;
    Ok(Json(Response { secrets: found.into_iter().map(SecretView::from).collect() }))
}
