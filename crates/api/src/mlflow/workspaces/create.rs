//! `POST workspaces` of version 3: administrators only.

use axum::Json;
use http::StatusCode;
use sealyard_identity::{Administer, ServerWide};
use serde::Deserialize;

use super::{Response, check_enabled, check_root};
use crate::http::{ApiError, Identified, InWorkspace, Input};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Request {
    name: String,
    description: Option<String>,
    default_artifact_root: Option<String>,
}

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Input(request): Input<Request>,
) -> Result<(StatusCode, Json<Response>), ApiError> {
    let app = state.app();
    check_enabled(app)?;
    let may = app.authorize(&caller, Administer, ServerWide).await?;
    check_root(request.default_artifact_root.as_deref())?;
    let workspace = app.create_workspace(&caller, &may, &request.name, request.description).await?;
    Ok((StatusCode::CREATED, Json(Response { workspace })))
}
