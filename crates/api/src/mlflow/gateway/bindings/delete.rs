//! `DELETE gateway/endpoints/bindings/delete`: that a scorer uses an endpoint no more.

use axum::Json;
use sealyard_identity::Edit;

use super::Request;
use crate::http::{Answer, Empty, Identified, InWorkspace, Input, required};

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Input(request): Input<Request>,
) -> Answer<Empty> {
    let app = state.app();
    let may = app.authorize_gateway(&caller, Edit, required("endpoint_id", &request.endpoint_id)?).await?;
    let kind = required("resource_type", &request.resource_type)?;
    let resource = required("resource_id", &request.resource_id)?;
    app.delete_gateway_binding(&caller, &may, kind, resource).await?;
    Ok(Json(Empty {}))
}
