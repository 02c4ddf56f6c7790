//! `DELETE datasets/<id>`: with its records.

use axum::Json;
use axum::extract::Path;

use crate::http::{Answer, Empty, Identified, InWorkspace};

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Path(id): Path<String>,
) -> Answer<Empty> {
    let app = state.app();
    let may = app.authorize_dataset_manage(&caller, &id).await?;
    app.delete_evaluation_dataset(&caller, &may).await?;
    Ok(Json(Empty {}))
}
