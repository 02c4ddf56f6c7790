//! `DELETE registered-models/delete`: with its versions and aliases.

use axum::Json;
use axum::extract::State;
use sealyard_identity::Manage;
use serde::Deserialize;

use crate::http::{Answer, ApiState, Empty, Identified, Input};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Request {
    name: String,
}

pub(super) async fn handler(
    State(state): State<ApiState>,
    Identified(caller): Identified,
    Input(request): Input<Request>,
) -> Answer<Empty> {
    let app = state.app();
    let may = app.authorize_registered_model(&caller, Manage, &request.name).await?;
    app.delete_registered_model(&caller, &may).await?;
    Ok(Json(Empty {}))
}
