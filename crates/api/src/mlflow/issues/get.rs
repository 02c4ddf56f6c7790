//! `GET issues/<id>` of version 3.

use axum::Json;
use axum::extract::Path;
use sealyard_identity::Read;

use super::create::Response;
use crate::http::{Answer, Identified, InWorkspace};

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Path(id): Path<String>,
) -> Answer<Response> {
    let (_may, issue) = state.app().authorize_issue(&caller, Read, &id).await?;
    Ok(Json(Response { issue: issue.into() }))
}
