//! `GET gateway/model-definitions/list`: of a provider, with a secret, or all.

use axum::Json;
use serde::{Deserialize, Serialize};

use super::super::some;
use super::DefinitionView;
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
    model_definitions: Vec<DefinitionView>,
}

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Input(request): Input<Request>,
) -> Answer<Response> {
    let (provider, secret) = (some(request.provider), some(request.secret_id));
    let found = state.app().gateway_definitions(&caller, provider, secret).await?;
    Ok(Json(Response { model_definitions: found.into_iter().map(DefinitionView::from).collect() }))
}
