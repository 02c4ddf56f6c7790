//! `PATCH workspaces/<name>` of version 3: administrators only.

use axum::Json;
use axum::extract::Path;
use sealyard_identity::{Administer, ServerWide};
use serde::Deserialize;

use super::{Response, check_enabled, check_root};
use crate::http::{Answer, ApiError, Identified, InWorkspace, Unread};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Request {
    description: Option<String>,
    default_artifact_root: Option<String>,
}

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Path(name): Path<String>,
    body: Unread<Request>,
) -> Answer<Response> {
    let app = state.app();
    check_enabled(app)?;
    let (request, may) = body.read(|| app.authorize(&caller, Administer, ServerWide)).await?;
    if request.description.is_none() && request.default_artifact_root.is_none() {
        return Err(ApiError::invalid("Workspace update must have at least one key"));
    }
    check_root(request.default_artifact_root.as_deref())?;
    Ok(Json(Response { workspace: app.update_workspace(&caller, &may, &name, request.description).await? }))
}
