//! `DELETE users/<name>/second-factor`: takes it from an account whose owner has lost it. Administrators only.

use axum::Json;
use axum::extract::Path;
use sealyard_identity::{Administer, UserDirectory};

use crate::http::{Answer, Empty, Identified, InWorkspace};

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Path(name): Path<String>,
) -> Answer<Empty> {
    let app = state.app();
    let may = app.authorize(&caller, Administer, UserDirectory).await?;
    app.reset_second_factor(&caller, &may, &name).await?;
    Ok(Json(Empty {}))
}
