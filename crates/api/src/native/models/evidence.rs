//! `GET models/<name>/versions/<version>/evidence`: every bundle that speaks of the version, unverified.

use axum::Json;
use axum::extract::Path;
use sealyard_app::{EvidenceSummary, VersionReference};
use sealyard_identity::Read;
use serde::Serialize;

use crate::http::{Answer, Identified, InWorkspace};

#[derive(Debug, Serialize)]
pub(super) struct Response {
    evidence: Vec<EvidenceSummary>,
}

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Path((name, version)): Path<(String, String)>,
) -> Answer<Response> {
    let app = state.app();
    let may = app.authorize_registered_model(&caller, Read, &name).await?;
    let version = VersionReference::parse(&version)?;
    Ok(Json(Response { evidence: app.version_evidence(&may, version.number()).await? }))
}
