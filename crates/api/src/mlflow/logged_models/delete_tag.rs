//! `DELETE logged-models/<id>/tags/<key>`.

use axum::Json;
use axum::extract::{Path, State};
use sealyard_identity::Edit;

use crate::http::{Answer, ApiState, Empty, Identified};

pub(super) async fn handler(
    State(state): State<ApiState>,
    Identified(caller): Identified,
    Path((id, key)): Path<(String, String)>,
) -> Answer<Empty> {
    let app = state.app();
    let may = app.authorize_logged_model(&caller, Edit, &id).await?;
    app.delete_logged_model_tag(&may, &id, &key).await?;
    Ok(Json(Empty {}))
}
