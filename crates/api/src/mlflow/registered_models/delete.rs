//! `DELETE registered-models/delete`: with its versions and aliases.

use axum::Json;
use sealyard_identity::Manage;
use serde::Deserialize;

use crate::http::{Answer, Empty, Identified, InWorkspace, Input};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Request {
    name: String,
}

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Input(request): Input<Request>,
) -> Answer<Empty> {
    let app = state.app();
    let may = app.authorize_registered_model(&caller, Manage, &request.name).await?;
    app.delete_registered_model(&caller, &may).await?;
    Ok(Json(Empty {}))
}
