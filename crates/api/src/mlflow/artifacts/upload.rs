//! `PUT …/artifacts/<path>`: takes a file in. It is scanned before anybody can see it. Outside of every experiment it takes an
//! administrator.

use axum::Json;
use axum::extract::Request;
use http::header::CONTENT_LENGTH;
use sealyard_app::Upload;
use sealyard_identity::Edit;

use super::location::Location;
use crate::http::{Answer, ApiError, Empty, ErrorCode, Identified, InWorkspace};

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    request: Request,
) -> Answer<Empty> {
    let app = state.app();
    let location = Location::of_uri(app, &caller, request.uri()).await?;
    let (owner, may) = location.authorize(app, &caller, Edit).await?;
    let path = location.file()?.clone();
    let limit = state.config().max_artifact_bytes();
    // What says that it is too large is not even begun; what does not say so is cut off.
    let announced = request.headers().get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|bytes| bytes > limit) {
        let reason = format!("it is larger than {limit} bytes");
        return Err(ApiError::refused(ErrorCode::InvalidParameterValue, "artifact.size", reason));
    }
    let upload = Upload { owner, path, limit };
    app.upload(&caller, may.proof(), upload, request.into_body().into_data_stream()).await?;
    Ok(Json(Empty {}))
}
