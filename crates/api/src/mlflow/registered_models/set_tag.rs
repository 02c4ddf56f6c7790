//! `POST registered-models/set-tag`.

use axum::Json;
use sealyard_identity::Edit;
use sealyard_store::model::Pair;
use serde::Deserialize;

use crate::http::{Answer, Empty, Identified, InWorkspace, Input};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Request {
    name: String,
    key: String,
    value: String,
}

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Input(request): Input<Request>,
) -> Answer<Empty> {
    let app = state.app();
    let may = app.authorize_registered_model(&caller, Edit, &request.name).await?;
    app.set_registered_model_tag(&may, Pair::new(request.key, request.value)).await?;
    Ok(Json(Empty {}))
}
