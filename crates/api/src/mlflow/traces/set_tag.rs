//! `PATCH traces/<id>/tags`.

use axum::Json;
use axum::extract::Path;
use sealyard_identity::Edit;
use sealyard_store::model::Pair;
use serde::Deserialize;

use crate::http::{Answer, Empty, Identified, InWorkspace, Unread, required};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::mlflow) struct Request {
    key: String,
    value: String,
}

pub(in crate::mlflow) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Path(id): Path<String>,
    body: Unread<Request>,
) -> Answer<Empty> {
    let app = state.app();
    let (request, may) = body.read(|| app.authorize_trace(&caller, Edit, &id)).await?;
    required("key", &request.key)?;
    app.set_trace_tag(&may, &id, Pair { key: request.key, value: request.value }).await?;
    Ok(Json(Empty {}))
}
