//! `DELETE tokens/<id>`: one of the caller's own.

use axum::Json;
use axum::extract::{Path, State};

use crate::http::{Answer, ApiState, Empty, Identified};

pub(super) async fn handler(
    State(state): State<ApiState>,
    Identified(caller): Identified,
    Path(id): Path<String>,
) -> Answer<Empty> {
    let app = state.app();
    app.revoke_token(&caller, &id).await?;
    Ok(Json(Empty {}))
}
