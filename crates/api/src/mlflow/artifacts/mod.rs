mod delete;
pub(crate) mod download;
mod list;
mod list_of_run;
mod location;
mod upload;

use axum::Router;
use axum::routing::{any, get};
use sealyard_app::{App, ArtifactListing, Caller};
use sealyard_core::TreePath;
use serde::Serialize;

use crate::http::{ApiError, ApiState};

pub(crate) use location::decode_path;

/// The old listing, beside the proxy.
pub(super) fn list_routes() -> Router<ApiState> {
    Router::new().route("/artifacts/list", get(list_of_run::handler))
}

/// The proxy below `root`. Its routes are whole paths: a nested router would show its handlers a changed URI, and they
/// need the one that was sent.
pub(super) fn proxy_routes(root: &str) -> Router<ApiState> {
    let artifacts = format!("{root}/2.0/mlflow-artifacts/artifacts");
    Router::new()
        .route(&artifacts, get(list::handler))
        .route(&format!("{artifacts}/"), any(location::empty))
        .route(&format!("{artifacts}/{{*path}}"), get(download::handler).put(upload::handler).delete(delete::handler))
}

/// A file or directory of a listing.
#[derive(Debug, Serialize)]
pub(super) struct FileView {
    path: String,
    is_dir: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    file_size: Option<u64>,
}

impl From<ArtifactListing> for FileView {
    fn from(ArtifactListing { path, size }: ArtifactListing) -> Self {
        Self { path, is_dir: size.is_none(), file_size: size }
    }
}

/// A directory below an owner's root that a query parameter names; an empty text is the root.
pub(super) async fn directory(app: &App, caller: &Caller, path: &str) -> Result<Option<TreePath>, ApiError> {
    match path.trim_end_matches('/') {
        "" => Ok(None),
        path => location::check(app, caller, path).await.map(Some),
    }
}
