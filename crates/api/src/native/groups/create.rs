//! `POST groups`: a group of this server. Administrators only.

use axum::Json;
use sealyard_app::GroupSummary;
use sealyard_identity::{Administer, UserDirectory};
use serde::Deserialize;

use crate::http::{Answer, Identified, InWorkspace, Strict};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Request {
    name: String,
}

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Strict(request): Strict<Request>,
) -> Answer<GroupSummary> {
    let app = state.app();
    let may = app.authorize(&caller, Administer, UserDirectory).await?;
    Ok(Json(app.create_group(&caller, &may, &request.name).await?))
}
