//! `POST gateway/endpoints/bindings/create`: that a scorer uses an endpoint.

use axum::Json;
use sealyard_identity::Edit;
use serde::Serialize;

use super::Request;
use super::view::BindingView;
use crate::http::{Answer, Identified, InWorkspace, Input, required};

#[derive(Debug, Serialize)]
pub(super) struct Response {
    binding: BindingView,
}

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Input(request): Input<Request>,
) -> Answer<Response> {
    let app = state.app();
    let may = app.authorize_gateway(&caller, Edit, required("endpoint_id", &request.endpoint_id)?).await?;
    let kind = required("resource_type", &request.resource_type)?;
    let resource = required("resource_id", &request.resource_id)?;
    Ok(Json(Response { binding: app.create_gateway_binding(&caller, &may, kind, resource).await?.into() }))
}
