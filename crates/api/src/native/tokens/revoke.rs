//! `DELETE tokens/<id>`: one of the caller's own.

use axum::Json;
use axum::extract::Path;

use crate::http::{Answer, Empty, Identified, InWorkspace};

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Path(id): Path<String>,
) -> Answer<Empty> {
    let app = state.app();
    app.revoke_token(&caller, &id).await?;
    Ok(Json(Empty {}))
}
