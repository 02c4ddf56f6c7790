//! `DELETE datasets/<id>/tags/<key>`.

use axum::Json;
use axum::extract::{Path, State};

use crate::http::{Answer, ApiState, Empty, Identified};

pub(super) async fn handler(
    State(state): State<ApiState>,
    Identified(caller): Identified,
    Path((id, key)): Path<(String, String)>,
) -> Answer<Empty> {
    let app = state.app();
    let may = app.authorize_dataset_edit(&caller, &id).await?;
    app.delete_evaluation_dataset_tag(&caller, &may, &key).await?;
    Ok(Json(Empty {}))
}
