//! `DELETE sessions`: logs the caller out everywhere; `DELETE sessions/<id>` ends one session; with `?user=` somebody else's, for an
//! administrator.

use axum::Json;
use axum::extract::Path;
use http::Uri;
use serde::Serialize;

use super::Whose;
use crate::http::{Answer, Identified, InWorkspace, query_parameters};

#[derive(Debug, Serialize)]
pub(super) struct Response {
    ended: usize,
}

pub(super) async fn all(InWorkspace(state): InWorkspace, Identified(caller): Identified, uri: Uri) -> Answer<Response> {
    let whose = query_parameters::<Whose>(&uri)?.name()?;
    Ok(Json(Response { ended: state.app().end_sessions(&caller, whose, None).await? }))
}

pub(super) async fn one(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Path(id): Path<String>,
    uri: Uri,
) -> Answer<Response> {
    let whose = query_parameters::<Whose>(&uri)?.name()?;
    Ok(Json(Response { ended: state.app().end_sessions(&caller, whose, Some(&id)).await? }))
}
