//! `DELETE datasets/<id>/tags/<key>`.

use axum::Json;
use axum::extract::Path;

use crate::http::{Answer, Empty, Identified, InWorkspace};

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Path((id, key)): Path<(String, String)>,
) -> Answer<Empty> {
    let app = state.app();
    let may = app.authorize_dataset_edit(&caller, &id).await?;
    app.delete_evaluation_dataset_tag(&caller, &may, &key).await?;
    Ok(Json(Empty {}))
}
