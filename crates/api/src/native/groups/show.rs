//! `GET groups/<name>`: who is in it and what it was given. Administrators only.

use axum::Json;
use axum::extract::Path;
use sealyard_app::GroupDetails;
use sealyard_identity::{Administer, UserDirectory};

use crate::http::{Answer, Identified, InWorkspace};

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Path(name): Path<String>,
) -> Answer<GroupDetails> {
    let app = state.app();
    let may = app.authorize(&caller, Administer, UserDirectory).await?;
    Ok(Json(app.group(&may, &name).await?))
}
