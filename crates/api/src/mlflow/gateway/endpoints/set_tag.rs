//! `POST gateway/endpoints/set-tag`: a tag of an endpoint.

use axum::Json;
use sealyard_identity::Edit;
use sealyard_store::model::Pair;
use serde::Deserialize;

use crate::http::{Answer, Empty, Identified, InWorkspace, Input, required};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Request {
    endpoint_id: String,
    key: String,
    value: String,
}

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Input(request): Input<Request>,
) -> Answer<Empty> {
    let app = state.app();
    let may = app.authorize_gateway(&caller, Edit, required("endpoint_id", &request.endpoint_id)?).await?;
    required("key", &request.key)?;
    app.set_gateway_endpoint_tag(&caller, &may, Pair { key: request.key, value: request.value }).await?;
    Ok(Json(Empty {}))
}
