//! `POST logged-models/<id>/params`.

use axum::Json;
use axum::extract::Path;
use sealyard_identity::Edit;
use serde::Deserialize;

use super::super::view::{PairInput, pairs};
use crate::http::{Answer, Empty, Identified, InWorkspace, Unread};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Request {
    params: Vec<PairInput>,
}

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Path(id): Path<String>,
    body: Unread<Request>,
) -> Answer<Empty> {
    let app = state.app();
    let (request, may) = body.read(|| app.authorize_logged_model(&caller, Edit, &id)).await?;
    app.log_logged_model_params(&may, &id, pairs(request.params)).await?;
    Ok(Json(Empty {}))
}
