//! `PUT …/artifacts/<path>`: takes a file in. It is scanned before anybody can see it. Outside of every experiment it takes an
//! administrator.

use std::time::Duration;

use axum::Json;
use axum::body::BodyDataStream;
use axum::extract::Request;
use futures::StreamExt as _;
use http::header::CONTENT_LENGTH;
use sealyard_app::{AppError, Upload};
use sealyard_identity::Edit;

use super::location::Location;
use crate::http::{Answer, ApiError, Empty, ErrorCode, Identified, InWorkspace};

/// How much of a file that is not taken is still read,
const DRAINED_BYTES: usize = 32 << 20;
/// and for how long at most.
const DRAINED_TIME: Duration = Duration::from_secs(5);

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    request: Request,
) -> Answer<Empty> {
    let app = state.app();
    let uri = request.uri();
    let found = async {
        let location = Location::of_uri(app, &caller, uri).await?;
        let (owner, may) = location.authorize(app, &caller, Edit).await?;
        Ok::<_, ApiError>((location, owner, may))
    };
    let (location, owner, may) = match found.await {
        Ok(found) => found,
        Err(error) => {
            // Whoever shall try again must get to read that.
            if matches!(error.code(), ErrorCode::TemporarilyUnavailable) {
                drain(request.into_body().into_data_stream()).await;
            }
            return Err(error);
        }
    };
    let path = location.file()?.clone();
    let limit = state.config().max_artifact_bytes();
    // What says that it is too large is not even begun; what does not say so is cut off.
    let announced = request.headers().get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|bytes| bytes > limit) {
        let reason = format!("it is larger than {limit} bytes");
        return Err(ApiError::refused(ErrorCode::InvalidParameterValue, "artifact.size", reason));
    }
    let upload = Upload { owner, path, limit };
    let mut body = request.into_body().into_data_stream();
    let outcome = app.upload(&caller, may.proof(), upload, body.by_ref()).await;
    match &outcome {
        // Nothing is read of those who may not even send it.
        Ok(_) | Err(AppError::Denied { .. }) => {}
        Err(_) => drain(body).await,
    }
    outcome?;
    Ok(Json(Empty {}))
}

/// Reads on for a bit: a client that is still sending when the connection is closed never sees why.
async fn drain(mut body: BodyDataStream) {
    let read = async {
        let mut left = DRAINED_BYTES;
        while let Some(Ok(piece)) = body.next().await {
            let Some(rest) = left.checked_sub(piece.len()) else { return };
            left = rest;
        }
    };
    let _ = tokio::time::timeout(DRAINED_TIME, read).await;
}
