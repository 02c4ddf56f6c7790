//! `DELETE gateway/model-definitions/delete`: of a model definition that no endpoint has.

use axum::Json;
use sealyard_identity::Manage;
use serde::Deserialize;

use crate::http::{Answer, Empty, Identified, InWorkspace, Input, required};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Request {
    model_definition_id: String,
}

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Input(request): Input<Request>,
) -> Answer<Empty> {
    let app = state.app();
    let id = required("model_definition_id", &request.model_definition_id)?;
    let may = app.authorize_gateway(&caller, Manage, id).await?;
    app.delete_gateway_definition(&caller, &may).await?;
    Ok(Json(Empty {}))
}
