//! `GET gateway/endpoints/list`: those with a model of a provider or of a secret, or all.

use axum::Json;
use serde::{Deserialize, Serialize};

use super::super::some;
use super::view::EndpointView;
use crate::http::{Answer, Identified, InWorkspace, Input};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Request {
    provider: String,
    secret_id: String,
}

#[derive(Debug, Serialize)]
pub(super) struct Response {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    endpoints: Vec<EndpointView>,
}

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Input(request): Input<Request>,
) -> Answer<Response> {
    let (provider, secret) = (some(request.provider), some(request.secret_id));
    let found = state.app().gateway_endpoints(&caller, provider, secret).await?;
    Ok(Json(Response { endpoints: found.into_iter().map(EndpointView::from).collect() }))
}
