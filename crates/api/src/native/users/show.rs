//! `GET users/<name>`: an account with its roles and grants. Of oneself, or of anybody for an administrator.

use axum::Json;
use axum::extract::Path;
use sealyard_app::AccountDetails;

use crate::http::{Answer, Identified, InWorkspace};

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Path(name): Path<String>,
) -> Answer<AccountDetails> {
    Ok(Json(state.app().account(&caller, &name).await?))
}
