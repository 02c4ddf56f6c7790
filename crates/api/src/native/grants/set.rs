//! `POST grants`: gives a user a right. Administrators only.

use axum::Json;
use sealyard_identity::{Administer, UserDirectory};

use super::GrantRequest;
use crate::http::{Answer, Empty, Identified, InWorkspace, Strict};

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Strict(request): Strict<GrantRequest>,
) -> Answer<Empty> {
    let app = state.app();
    let may = app.authorize(&caller, Administer, UserDirectory).await?;
    let (user, pattern, right) = request.parse()?;
    app.set_grant(&caller, &may, &user, pattern, right).await?;
    Ok(Json(Empty {}))
}
