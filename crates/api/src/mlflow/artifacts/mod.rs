mod delete;
pub(crate) mod download;
mod list;
pub(super) mod list_of_run;
mod location;
mod naming;
mod parts;
mod range;
mod upload;
mod upload_artifact;

use sealyard_app::{App, ArtifactListing, Caller};
use sealyard_core::TreePath;
use serde::Serialize;

use crate::http::ApiError;
use crate::http::Takes::{Edit, Read, Somebody};
use crate::http::routes::{Routes, any, get, post};

pub(crate) use location::decode_path;
#[cfg(feature = "fuzzing")]
pub(crate) use parts::fuzz_parts;

/// The old listing and the pages' own upload, beside the proxy.
pub(super) fn list_routes() -> Routes {
    Routes::new()
        .route("/artifacts/list", get(Read, list_of_run::handler))
        .route("/upload-artifact", post(Edit, upload_artifact::handler))
}

/// The proxy below `root`. Its routes are whole paths: a nested router would show its handlers a changed URI, and they
/// need the one that was sent.
pub(super) fn proxy_routes(root: &str) -> Routes {
    let artifacts = format!("{root}/2.0/mlflow-artifacts/artifacts");
    Routes::new()
        .route(&artifacts, get(Read, list::handler))
        .route(&format!("{artifacts}/"), any(Somebody, location::empty))
        .route(
            &format!("{artifacts}/{{*path}}"),
            get(Read, download::handler).put(Edit, upload::handler).delete(Edit, delete::handler),
        )
        .merge(parts::routes(root))
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
        path => location::check_for_pages(app, caller, path).await.map(Some),
    }
}

/// The file below an owner's root that a query parameter names.
pub(super) async fn file_parameter(app: &App, caller: &Caller, name: &str, path: &str) -> Result<TreePath, ApiError> {
    location::check_for_pages(app, caller, crate::http::required(name, path)?).await
}
