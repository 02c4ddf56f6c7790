//! `POST …/mpu/complete/<folder>`: puts the parts together, scans the file and makes it visible.

use axum::Json;
use axum::extract::{FromRequest as _, Request as HttpRequest};
use sealyard_app::{NamedPart, Upload};
use sealyard_identity::Edit;
use serde::Deserialize;

use super::super::location::Location;
use super::file;
use crate::http::{Answer, ApiError, Empty, Identified, InWorkspace, Input, Integer, required};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Request {
    pub(super) path: String,
    upload_id: String,
    pub(super) parts: Vec<Part>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Part {
    part_number: Option<Integer>,
    etag: String,
}

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    request: HttpRequest,
) -> Answer<Empty> {
    let app = state.app();
    let location = Location::of_folder(app, &caller, request.uri(), "complete").await?;
    let (owner, may) = location.authorize(app, &caller, Edit).await?;
    let Input(request) = Input::<Request>::from_request(request, &state).await?;
    let path = file(app, &caller, &location, required("path", &request.path)?).await?;
    let id = required("upload_id", &request.upload_id)?;
    let parts = named(request.parts)?;
    let upload = Upload { owner, path, limit: state.config().max_artifact_bytes() };
    app.complete_parted_upload(&caller, may.proof(), upload, id, &parts).await?;
    Ok(Json(Empty {}))
}

pub(super) fn named(parts: Vec<Part>) -> Result<Vec<NamedPart>, ApiError> {
    let named = |part: Part| {
        let number = part.part_number.and_then(|number| u32::try_from(number.0).ok());
        let number = number.ok_or_else(|| ApiError::invalid("part_number is missing or out of range"))?;
        Ok(NamedPart { number, tag: part.etag })
    };
    parts.into_iter().map(named).collect()
}
