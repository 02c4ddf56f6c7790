//! `GET models/<name>/versions/<version>/files/<path>`: one frozen file, for a loader that compares it with a manifest.

use axum::extract::{Path, Request};
use axum::response::Response;
use sealyard_app::VersionReference;
use sealyard_identity::Read;

use crate::http::{ApiError, Identified, InWorkspace};
use crate::mlflow::{decode_path, stream};

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Path((name, version, _)): Path<(String, String, String)>,
    axum::extract::OriginalUri(uri): axum::extract::OriginalUri,
    _: Request,
) -> Result<Response, ApiError> {
    let app = state.app();
    // The name and version hold no slash, so the first `/files/` behind `/versions/` begins the path.
    let raw =
        uri.path().split_once("/versions/").and_then(|(_, rest)| rest.split_once("/files/")).map_or("", |(_, raw)| raw);
    let path = match decode_path(raw) {
        Ok(path) => path,
        Err(reason) => return Err(app.refuse_artifact_path(&caller, raw, &reason).await.into()),
    };
    let may = app.authorize_registered_model(&caller, Read, &name).await?;
    let version = VersionReference::parse(&version)?;
    let download = app.version_file(&may, version.number(), &path).await?;
    Ok(stream(download, path.file_name()))
}
