//! `GET models/<name>/versions/<version>/manifest`: the frozen files. A reader computes the digest again.

use axum::Json;
use axum::extract::{Path, State};
use sealyard_app::{ModelManifest, VersionReference};
use sealyard_identity::Read;

use crate::http::{Answer, ApiState, Identified};

pub(super) async fn handler(
    State(state): State<ApiState>,
    Identified(caller): Identified,
    Path((name, version)): Path<(String, String)>,
) -> Answer<ModelManifest> {
    let app = state.app();
    let may = app.authorize_registered_model(&caller, Read, &name).await?;
    let version = VersionReference::parse(&version)?;
    Ok(Json(app.version_manifest(&may, version.number()).await?))
}
