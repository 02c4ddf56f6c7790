//! `DELETE grants`: takes a right away. Administrators only.

use axum::Json;
use axum::extract::State;
use sealyard_identity::{Administer, UserDirectory};

use super::GrantRequest;
use crate::http::{Answer, ApiState, Empty, Identified, Strict};

pub(super) async fn handler(
    State(state): State<ApiState>,
    Identified(caller): Identified,
    Strict(request): Strict<GrantRequest>,
) -> Answer<Empty> {
    let app = state.app();
    let may = app.authorize(&caller, Administer, UserDirectory).await?;
    let (user, pattern, right) = request.parse()?;
    app.remove_grant(&caller, &may, &user, pattern, right).await?;
    Ok(Json(Empty {}))
}
