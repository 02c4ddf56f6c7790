//! `DELETE logged-models/<id>`.

use axum::Json;
use axum::extract::{Path, State};
use sealyard_identity::Manage;

use crate::http::{Answer, ApiState, Empty, Identified};

pub(super) async fn handler(
    State(state): State<ApiState>,
    Identified(caller): Identified,
    Path(id): Path<String>,
) -> Answer<Empty> {
    let app = state.app();
    let may = app.authorize_logged_model(&caller, Manage, &id).await?;
    app.delete_logged_model(&caller, &may, &id).await?;
    Ok(Json(Empty {}))
}
