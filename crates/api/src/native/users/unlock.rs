//! `DELETE users/<name>/lock`: lets an account in from everywhere again that too many wrong passwords locked. Administrators only.

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
    app.unlock_user(&caller, &may, &name).await?;
    Ok(Json(Empty {}))
}
