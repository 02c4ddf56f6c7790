//! `DELETE gateway/endpoints/delete`: an endpoint with its tags and bindings. The model definitions stay.

use axum::Json;
use sealyard_identity::Manage;
use serde::Deserialize;

use crate::http::{Answer, Empty, Identified, InWorkspace, Input, required};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Request {
    endpoint_id: String,
}

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Input(request): Input<Request>,
) -> Answer<Empty> {
    let app = state.app();
    let may = app.authorize_gateway(&caller, Manage, required("endpoint_id", &request.endpoint_id)?).await?;
    app.delete_gateway_endpoint(&caller, &may).await?;
    Ok(Json(Empty {}))
}
