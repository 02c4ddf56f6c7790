//! `GET issues/<id>` of version 3.

use axum::Json;
use axum::extract::{Path, State};
use sealyard_identity::Read;

use super::create::Response;
use crate::http::{Answer, ApiState, Identified};

pub(super) async fn handler(
    State(state): State<ApiState>,
    Identified(caller): Identified,
    Path(id): Path<String>,
) -> Answer<Response> {
    let (_may, issue) = state.app().authorize_issue(&caller, Read, &id).await?;
    Ok(Json(Response { issue: issue.into() }))
}
