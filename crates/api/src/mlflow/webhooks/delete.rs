//! `DELETE webhooks/<id>`: administrators only.

use axum::Json;
use axum::extract::{Path, State};
use sealyard_identity::{Administer, ServerWide};

use super::missing;
use crate::http::{Answer, ApiState, Empty, Identified};

pub(super) async fn handler(
    State(state): State<ApiState>,
    Identified(caller): Identified,
    Path(id): Path<String>,
) -> Answer<Empty> {
    let app = state.app();
    let may = app.authorize(&caller, Administer, ServerWide).await?;
    app.delete_webhook(&caller, &may, &id).await.map_err(missing)?;
    Ok(Json(Empty {}))
}
