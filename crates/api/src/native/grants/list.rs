//! `GET grants`: all of them, or those of a `user`, a `role` (its number) or a `group`, or on exactly a `resource`. Administrators only.

use axum::Json;
use sealyard_app::{GrantFilter, GrantSummary};
use sealyard_identity::{Administer, UserDirectory};
use serde::{Deserialize, Serialize};

use crate::http::{Answer, ApiError, Identified, InWorkspace, Integer, Strict};

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Request {
    user: Option<String>,
    role: Option<Integer>,
    group: Option<String>,
    resource: Option<String>,
}

#[derive(Debug, Serialize)]
pub(super) struct Response {
    grants: Vec<GrantSummary>,
}

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Strict(request): Strict<Request>,
) -> Answer<Response> {
    let app = state.app();
    let may = app.authorize(&caller, Administer, UserDirectory).await?;
    let resource = request.resource.map(|text| text.parse()).transpose();
    let resource =
        resource.map_err(|error: sealyard_identity::ResourcePatternError| ApiError::invalid(error.to_string()))?;
    let filter =
        GrantFilter { user: request.user, role: request.role.map(|role| role.0), group: request.group, resource };
    Ok(Json(Response { grants: app.grants(&may, filter).await? }))
}
