//! `PATCH datasets/<id>/tags`.

use axum::Json;
use axum::extract::{Path, State};
use serde::Deserialize;

use super::tags;
use crate::http::{Answer, ApiState, Empty, Identified, Input, required};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Request {
    tags: String,
}

pub(super) async fn handler(
    State(state): State<ApiState>,
    Identified(caller): Identified,
    Path(id): Path<String>,
    Input(request): Input<Request>,
) -> Answer<Empty> {
    let app = state.app();
    let may = app.authorize_dataset_edit(&caller, &id).await?;
    let tags = tags(required("tags", &request.tags)?)?;
    app.set_evaluation_dataset_tags(&caller, &may, tags).await?;
    Ok(Json(Empty {}))
}
