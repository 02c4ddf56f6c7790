//! `PATCH logged-models/<id>/tags`.

use axum::Json;
use axum::extract::Path;
use sealyard_identity::Edit;
use serde::{Deserialize, Serialize};

use super::super::view::{LoggedModelView, PairInput, pairs};
use crate::http::{Answer, Identified, InWorkspace, Unread};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Request {
    tags: Vec<PairInput>,
}

#[derive(Debug, Serialize)]
pub(super) struct Response {
    model: LoggedModelView,
}

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Path(id): Path<String>,
    body: Unread<Request>,
) -> Answer<Response> {
    let app = state.app();
    let (request, may) = body.read(|| app.authorize_logged_model(&caller, Edit, &id)).await?;
    let model = app.set_logged_model_tags(&may, &id, pairs(request.tags)).await?;
    Ok(Json(Response { model: model.into() }))
}
