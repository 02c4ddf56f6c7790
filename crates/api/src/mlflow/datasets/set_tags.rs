//! `PATCH datasets/<id>/tags`.

use axum::Json;
use axum::extract::Path;
use serde::Deserialize;

use super::tags;
use crate::http::{Answer, Empty, Identified, InWorkspace, Unread, required};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Request {
    tags: String,
}

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Path(id): Path<String>,
    body: Unread<Request>,
) -> Answer<Empty> {
    let app = state.app();
    let (request, may) = body.read(|| app.authorize_dataset_edit(&caller, &id)).await?;
    let tags = tags(required("tags", &request.tags)?)?;
    app.set_evaluation_dataset_tags(&caller, &may, tags).await?;
    Ok(Json(Empty {}))
}
