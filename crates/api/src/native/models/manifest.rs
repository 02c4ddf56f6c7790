//! `GET models/<name>/versions/<version>/manifest`: the frozen files. A reader computes the digest again.

use axum::Json;
use axum::extract::Path;
use sealyard_app::{ModelManifest, VersionReference};
use sealyard_identity::Read;

use crate::http::{Answer, Identified, InWorkspace};

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Path((name, version)): Path<(String, String)>,
) -> Answer<ModelManifest> {
    let app = state.app();
    let may = app.authorize_registered_model(&caller, Read, &name).await?;
    let version = VersionReference::parse(&version)?;
    Ok(Json(app.version_manifest(&may, version.number()).await?))
}
