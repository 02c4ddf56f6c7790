//! `DELETE workspaces/<name>?mode=` of version 3: administrators only.

use axum::extract::Path;
use http::StatusCode;
use sealyard_app::AppError;
use sealyard_identity::{Administer, ServerWide};
use sealyard_store::model::WorkspaceDeletion;
use serde::Deserialize;

use super::check_enabled;
use crate::http::{ApiError, ErrorCode, Identified, InWorkspace, query_parameters};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Request {
    mode: Option<String>,
}

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Path(name): Path<String>,
    uri: http::Uri,
) -> Result<StatusCode, ApiError> {
    let app = state.app();
    check_enabled(app)?;
    let may = app.authorize(&caller, Administer, ServerWide).await?;
    let request: Request = query_parameters(&uri)?;
    let how = match request.mode.as_deref() {
        None | Some("RESTRICT") => WorkspaceDeletion::Restrict,
        Some("CASCADE") => WorkspaceDeletion::Cascade,
        Some("SET_DEFAULT") => WorkspaceDeletion::SetDefault,
        Some(other) => {
            let shown: String = other.chars().take(80).collect();
            return Err(ApiError::invalid(format!(
                "Invalid deletion mode '{shown}'. Must be one of: SET_DEFAULT, CASCADE, RESTRICT"
            )));
        }
    };
    app.delete_workspace(&caller, &may, &name, how).await.map_err(|error| match error {
        AppError::Conflict(message) => ApiError::new(ErrorCode::InvalidState, message),
        other => other.into(),
    })?;
    Ok(StatusCode::NO_CONTENT)
}
