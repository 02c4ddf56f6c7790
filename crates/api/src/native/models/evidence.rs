//! `GET models/<name>/versions/<version>/evidence`: every bundle that speaks of the version, unverified.

use axum::Json;
use axum::extract::{Path, State};
use sealyard_app::{EvidenceSummary, VersionReference};
use sealyard_identity::Read;
use serde::Serialize;

use crate::http::{Answer, ApiState, Identified};

#[derive(Debug, Serialize)]
pub(super) struct Response {
    evidence: Vec<EvidenceSummary>,
}

pub(super) async fn handler(
    State(state): State<ApiState>,
    Identified(caller): Identified,
    Path((name, version)): Path<(String, String)>,
) -> Answer<Response> {
    let app = state.app();
    let may = app.authorize_registered_model(&caller, Read, &name).await?;
    let version = VersionReference::parse(&version)?;
    Ok(Json(Response { evidence: app.version_evidence(&may, version.number()).await? }))
}
