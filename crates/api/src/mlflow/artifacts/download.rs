//! `GET …/artifacts/<path>`: gives a file out, or one range of it, as bytes to be kept and never as a page to be shown. Outside of
//! every experiment it takes an administrator.

use axum::Json;
use axum::body::Body;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use futures::stream::unfold;
use http::header::{ACCEPT_RANGES, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG};
use http::{HeaderName, StatusCode};
use sealyard_app::{AppError, Download};
use sealyard_identity::Read;

use super::location::Location;
use super::{naming, range};
use crate::http::{ApiError, Identified, InWorkspace};

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    request: Request,
) -> Result<Response, ApiError> {
    let app = state.app();
    let location = Location::of_uri(app, &caller, request.uri()).await?;
    let (owner, may) = location.authorize(app, &caller, Read).await?;
    let path = location.file()?;
    let wanted = range::wanted(request.headers());
    match app.download_range(&caller, may.proof(), &owner, path, wanted).await {
        Ok(download) => Ok(stream(download, path.file_name())),
        Err(AppError::Unsatisfiable { size }) => Ok(unsatisfiable(size)),
        Err(error) => Err(error.into()),
    }
}

/// The file as an answer. Its length is announced, so that one that ends early is a broken transfer to every client.
pub(crate) fn stream(download: Download, name: &str) -> Response {
    let Download { size, start, total, partial, digest, pieces } = download;
    let pieces = unfold(pieces, |mut pieces| async move { pieces.recv().await.map(|piece| (piece, pieces)) });
    let headers = [
        (CONTENT_TYPE, naming::content_type(name).to_owned()),
        (CONTENT_LENGTH, size.to_string()),
        (ACCEPT_RANGES, "bytes".to_owned()),
        (ETAG, format!("\"{}\"", digest.to_hex())),
        (CONTENT_DISPOSITION, naming::disposition(name)),
    ];
    let body = Body::from_stream(pieces);
    if partial {
        let last = start.saturating_add(size).saturating_sub(1);
        let range = [(CONTENT_RANGE, format!("bytes {start}-{last}/{total}"))];
        return (StatusCode::PARTIAL_CONTENT, headers, range, body).into_response();
    }
    (headers, body).into_response()
}

fn unsatisfiable(size: u64) -> Response {
    let range: [(HeaderName, String); 1] = [(CONTENT_RANGE, format!("bytes */{size}"))];
    let body = serde_json::json!({
        "error_code": "INVALID_PARAMETER_VALUE",
        "message": format!("the file has {size} bytes, and none of those that were asked for"),
    });
    (StatusCode::RANGE_NOT_SATISFIABLE, range, Json(body)).into_response()
}
