//! `DELETE grants`: takes a right away. Takes what giving it takes.

use axum::Json;

use super::GrantRequest;
use crate::http::{Answer, Empty, Identified, InWorkspace, Strict};

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Strict(request): Strict<GrantRequest>,
) -> Answer<Empty> {
    let (change, _) = request.parse()?;
    state.app().take(&caller, change).await?;
    Ok(Json(Empty {}))
}
