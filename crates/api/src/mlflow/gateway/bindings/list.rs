//! `GET gateway/endpoints/bindings/list`: which scorers use which endpoints. Naming an endpoint takes READ on it.

use axum::Json;
use sealyard_app::SearchBindings;
use sealyard_identity::Read;
use serde::Serialize;

use super::super::some;
use super::Request;
use super::view::BindingView;
use crate::http::{Answer, Identified, InWorkspace, Input};

#[derive(Debug, Serialize)]
pub(super) struct Response {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    bindings: Vec<BindingView>,
}

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Input(request): Input<Request>,
) -> Answer<Response> {
    let app = state.app();
    let endpoint = match some(request.endpoint_id) {
        Some(id) => Some(app.authorize_gateway(&caller, Read, &id).await?),
        None => None,
    };
    let (resource_type, resource_id) = (some(request.resource_type), some(request.resource_id));
    let found = app.gateway_bindings(&caller, SearchBindings { endpoint, resource_type, resource_id }).await?;
    Ok(Json(Response { bindings: found.into_iter().map(BindingView::from).collect() }))
}
