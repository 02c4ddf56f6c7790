//! `POST …/mpu/abort/<folder>`: gives an upload up, with the parts that arrived.

use axum::Json;
use axum::extract::{FromRequest as _, Request as HttpRequest};
use sealyard_identity::Edit;
use serde::Deserialize;

use super::super::location::Location;
use super::file;
use crate::http::{Answer, Empty, Identified, InWorkspace, Input, required};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Request {
    pub(super) path: String,
    upload_id: String,
}

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    request: HttpRequest,
) -> Answer<Empty> {
    let app = state.app();
    let location = Location::of_folder(app, &caller, request.uri(), "abort").await?;
    let (owner, may) = location.authorize(app, &caller, Edit).await?;
    let Input(request) = Input::<Request>::from_request(request, &state).await?;
    let path = file(app, &caller, &location, required("path", &request.path)?).await?;
    let id = required("upload_id", &request.upload_id)?;
    app.abort_parted_upload(&caller, may.proof(), &owner, &path, id).await?;
    Ok(Json(Empty {}))
}
