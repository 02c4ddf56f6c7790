//! `GET logged-models/<id>`.

use axum::Json;
use axum::extract::Path;
use sealyard_identity::Read;
use serde::Serialize;

use super::super::view::LoggedModelView;
use crate::http::{Answer, Identified, InWorkspace};

#[derive(Debug, Serialize)]
pub(super) struct Response {
    model: LoggedModelView,
}

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Path(id): Path<String>,
) -> Answer<Response> {
    let app = state.app();
    let may = app.authorize_logged_model(&caller, Read, &id).await?;
    Ok(Json(Response { model: app.logged_model(&may, &id).await?.into() }))
}
