//! `PUT …/mpu/parts/<upload>/<part>`: takes a part in. Its sender needs no login but the part's capability, in a header.

use axum::extract::{Path, Request, State};
use http::header::{CONTENT_LENGTH, ETAG};
use http::{HeaderName, StatusCode};
use sealyard_app::AppError;

use super::CAPABILITY;
use crate::http::{ApiError, ApiState, ErrorCode};

pub(super) async fn handler(
    State(state): State<ApiState>,
    Path((upload, part)): Path<(String, String)>,
    request: Request,
) -> Result<(StatusCode, [(HeaderName, String); 1]), ApiError> {
    // Its workspace is in the capability.
    let app = state.server();
    let mut given = request.headers().get_all(CAPABILITY).iter();
    let capability = match (given.next(), given.next()) {
        (Some(one), None) => one.to_str().unwrap_or_default().to_owned(),
        _ => return Err(AppError::Unauthenticated.into()),
    };
    // A request without a good capability learns nothing of which parts there are.
    let number = number(&part);
    let limit = state.config().max_artifact_bytes();
    let announced = request.headers().get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|bytes| bytes > limit) {
        let reason = format!("it is larger than {limit} bytes");
        return Err(ApiError::refused(ErrorCode::InvalidParameterValue, "artifact.size", reason));
    }
    let body = request.into_body().into_data_stream();
    let digest = app.put_part(&capability, &upload, number, limit, body).await?;
    Ok((StatusCode::OK, [(ETAG, format!("\"{}\"", digest.to_hex()))]))
}

/// A part's number, which has one spelling; zero for what is none.
pub(super) fn number(part: &str) -> u32 {
    let number = part.parse().unwrap_or(0);
    if number.to_string() == part { number } else { 0 }
}
