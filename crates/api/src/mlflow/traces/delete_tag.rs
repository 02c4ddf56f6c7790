//! `DELETE traces/<id>/tags`.

use axum::Json;
use axum::extract::Path;
use sealyard_identity::Edit;
use serde::Deserialize;

use crate::http::{Answer, Empty, Identified, InWorkspace, Unread, required};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::mlflow) struct Request {
    key: String,
}

pub(in crate::mlflow) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Path(id): Path<String>,
    body: Unread<Request>,
) -> Answer<Empty> {
    let app = state.app();
    let (request, may) = body.read(|| app.authorize_trace(&caller, Edit, &id)).await?;
    app.delete_trace_tag(&may, &id, required("key", &request.key)?).await?;
    Ok(Json(Empty {}))
}
