//! `workspaces/…` of version 3. What is in one is chosen by the header `X-MLFLOW-WORKSPACE` of each request.

mod create;
mod delete;
mod get;
mod list;
mod update;

use sealyard_app::{App, WorkspaceSummary};
use serde::Serialize;

use crate::http::Takes::{Administrator, Somebody};
use crate::http::routes::{Routes, get};
use crate::http::{ApiError, workspaces_disabled};

pub(super) fn routes() -> Routes {
    Routes::new().route("/workspaces", get(Somebody, list::handler).post(Administrator, create::handler)).route(
        "/workspaces/{workspace_name}",
        // Or any right in it.
        get(Administrator, self::get::handler)
            .patch(Administrator, update::handler)
            .delete(Administrator, delete::handler),
    )
}

#[derive(Debug, Serialize)]
struct Response {
    workspace: WorkspaceSummary,
}

fn check_enabled(app: &App) -> Result<(), ApiError> {
    if app.workspaces_enabled() { Ok(()) } else { Err(workspaces_disabled()) }
}

/// Files are in the server's own storage, whatever a client names.
fn check_root(root: Option<&str>) -> Result<(), ApiError> {
    match root {
        Some(root) if !root.trim().is_empty() => Err(ApiError::invalid(
            "this server keeps the artifacts of all workspaces in its own storage: 'default_artifact_root' can't be set",
        )),
        _ => Ok(()),
    }
}
