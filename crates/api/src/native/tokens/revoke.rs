//! `DELETE tokens/<id>`: one of the caller's own; with `?user=` anybody's, for an administrator.

use axum::Json;
use axum::extract::Path;
use http::Uri;

use super::Whose;
use crate::http::{Answer, Empty, Identified, InWorkspace, query_parameters};

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Path(id): Path<String>,
    uri: Uri,
) -> Answer<Empty> {
    let app = state.app();
    match query_parameters::<Whose>(&uri)?.name()? {
        Some(owner) => app.revoke_token_of(&caller, &owner, &id).await?,
        None => app.revoke_token(&caller, &id).await?,
    }
    Ok(Json(Empty {}))
}
