//! `DELETE gateway/secrets/delete`: model definitions that used the secret use none then.

use axum::Json;
use sealyard_identity::Manage;
use serde::Deserialize;

use crate::http::{Answer, Empty, Identified, InWorkspace, Input, required};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Request {
    secret_id: String,
}

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Input(request): Input<Request>,
) -> Answer<Empty> {
    let app = state.app();
    let may = app.authorize_gateway(&caller, Manage, required("secret_id", &request.secret_id)?).await?;
    app.delete_gateway_secret(&caller, &may).await?;
    Ok(Json(Empty {}))
}
