//! `DELETE datasets/<id>`: with its records.

use axum::Json;
use axum::extract::{Path, State};

use crate::http::{Answer, ApiState, Empty, Identified};

pub(super) async fn handler(
    State(state): State<ApiState>,
    Identified(caller): Identified,
    Path(id): Path<String>,
) -> Answer<Empty> {
    let app = state.app();
    let may = app.authorize_dataset_manage(&caller, &id).await?;
    app.delete_evaluation_dataset(&caller, &may).await?;
    Ok(Json(Empty {}))
}
