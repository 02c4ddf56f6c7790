//! `DELETE gateway/endpoints/delete-tag`: a tag less.

use axum::Json;
use sealyard_identity::Edit;
use serde::Deserialize;

use crate::http::{Answer, Empty, Identified, InWorkspace, Input, required};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Request {
    endpoint_id: String,
    key: String,
}

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Input(request): Input<Request>,
) -> Answer<Empty> {
    let app = state.app();
    let may = app.authorize_gateway(&caller, Edit, required("endpoint_id", &request.endpoint_id)?).await?;
    app.delete_gateway_endpoint_tag(&caller, &may, required("key", &request.key)?).await?;
    Ok(Json(Empty {}))
}
