//! `GET access/explanation`: whether a user may do an action to a resource, and by which rules. Of oneself, or with `?user=` of
//! anybody for an administrator. Nothing is done.

use axum::Json;
use sealyard_app::AccessExplanation;
use sealyard_identity::{ActionKind, PrincipalName, Resource};
use serde::Deserialize;

use crate::http::{Answer, ApiError, Identified, InWorkspace, Strict};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Request {
    #[serde(default)]
    user: Option<String>,
    action: String,
    resource: String,
}

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Strict(request): Strict<Request>,
) -> Answer<AccessExplanation> {
    let invalid = |error: &dyn std::fmt::Display| ApiError::invalid(error.to_string());
    let user = request.user.map(PrincipalName::new).transpose().map_err(|error| invalid(&error))?;
    let action: ActionKind = request.action.parse().map_err(|error| invalid(&error))?;
    let resource: Resource = request.resource.parse().map_err(|error| invalid(&error))?;
    let app = state.app();
    Ok(Json(app.explain_access(&caller, user, action, resource, app.workspace()).await?))
}
