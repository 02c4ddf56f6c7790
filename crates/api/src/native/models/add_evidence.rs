//! `POST models/<name>/versions/<version>/evidence`: adds a bundle, the body as it is. Adding proves nothing; each gate
//! verifies for itself.

use axum::Json;
use axum::extract::{Path, Request};
use http_body_util::{BodyExt as _, Limited};
use sealyard_app::{EvidenceSummary, VersionReference};
use sealyard_identity::Edit;

use crate::http::{Answer, ApiError, Identified, InWorkspace};

/// Bytes of a bundle. Provenance with a build log's digests is some hundred kilobytes.
const MAX_BUNDLE: usize = 16 * 1024 * 1024;

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Path((name, version)): Path<(String, String)>,
    request: Request,
) -> Answer<EvidenceSummary> {
    let app = state.app();
    let may = app.authorize_registered_model(&caller, Edit, &name).await?;
    let version = VersionReference::parse(&version)?;
    let body = Limited::new(request.into_body(), MAX_BUNDLE).collect().await;
    let body = body.map_err(|_| {
        ApiError::invalid(format!("refused by evidence.bundle: it is larger than {MAX_BUNDLE} bytes, or broke off"))
    })?;
    Ok(Json(app.add_evidence(&caller, &may, version.number(), body.to_bytes().to_vec()).await?))
}
