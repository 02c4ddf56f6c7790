//! `GET workspaces/<name>` of version 3: whoever has any right in it.

use axum::Json;
use axum::extract::Path;

use super::{Response, check_enabled};
use crate::http::{Answer, Identified, InWorkspace};

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Path(name): Path<String>,
) -> Answer<Response> {
    let app = state.app();
    check_enabled(app)?;
    Ok(Json(Response { workspace: app.workspace_summary(&caller, &name).await? }))
}
