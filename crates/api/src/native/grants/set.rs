//! `POST grants`: gives a user or a role a right. Takes an administrator; for a role, MANAGE on its workspace.

use axum::Json;

use super::GrantRequest;
use crate::http::{Answer, Empty, Identified, InWorkspace, Strict};

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Strict(request): Strict<GrantRequest>,
) -> Answer<Empty> {
    let (change, absent) = request.parse()?;
    state.app().give(&caller, change, absent).await?;
    Ok(Json(Empty {}))
}
