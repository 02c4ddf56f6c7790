//! What a trace export's body says, expanded and read within bounds.

use axum::body::Body;
use http::HeaderMap;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use sealyard_formats::decompress::{Codec, ExpandEnd, expand};
use sealyard_formats::json_bounds::JsonBounds;
use sealyard_formats::otlp::{Bounds, ExportedSpan, OtlpError, from_json, from_protobuf};

use crate::http::{ApiError, ErrorCode};

/// Bytes as they come.
const MAX_BODY: usize = 32 * 1024 * 1024;
/// Bytes after expanding.
const MAX_EXPANDED: usize = 64 * 1024 * 1024;
/// How many times its size a body may expand to; small ones to [`FREE`].
const MAX_RATIO: usize = 200;
const FREE: usize = 1024 * 1024;

/// What JSON may hold: an attribute is two objects, beside those of the spans.
const JSON: JsonBounds = JsonBounds { objects: 400_000, values: 2_000_000 };

/// How the body is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Protobuf,
    Json,
}

/// By the `Content-Type`.
pub(super) fn form(headers: &HeaderMap) -> Result<Form, ApiError> {
    let text = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    match text.split(';').next().unwrap_or_default().trim() {
        "application/x-protobuf" => Ok(Form::Protobuf),
        "application/json" => Ok(Form::Json),
        _ => Err(ApiError::invalid("Invalid Content-Type. Expected: application/x-protobuf or application/json")),
    }
}

/// By the `Content-Encoding`; several are none.
pub(super) fn codec(headers: &HeaderMap) -> Result<Option<Codec>, ApiError> {
    let mut all = headers.get_all(CONTENT_ENCODING).iter();
    let unsupported = || ApiError::invalid("Unsupported Content-Encoding. Expected: gzip or deflate");
    match (all.next(), all.next()) {
        (None, _) => Ok(None),
        (Some(one), None) => match one.to_str().unwrap_or_default().to_ascii_lowercase().as_str() {
            "gzip" => Ok(Some(Codec::Gzip)),
            "deflate" => Ok(Some(Codec::Zlib)),
            "identity" => Ok(None),
            _ => Err(unsupported()),
        },
        _ => Err(unsupported()),
    }
}

/// Takes the body and reads its spans, away from the threads that serve everybody.
pub(super) async fn spans(body: Body, form: Form, codec: Option<Codec>) -> Result<Vec<ExportedSpan>, ApiError> {
    let bytes = match Limited::new(body, MAX_BODY).collect().await {
        Ok(body) => body.to_bytes(),
        Err(error) if error.is::<LengthLimitError>() => {
            return Err(ApiError::invalid(format!("the request's body is larger than {MAX_BODY} bytes")));
        }
        Err(_) => return Err(ApiError::invalid("the request's body broke off")),
    };
    let read = tokio::task::spawn_blocking(move || read(&bytes, form, codec));
    read.await.map_err(|error| ApiError::internal(format!("a trace export could not be read: {error}")))?
}

pub(super) fn read(bytes: &[u8], form: Form, codec: Option<Codec>) -> Result<Vec<ExportedSpan>, ApiError> {
    let expanded;
    let plain: &[u8] = match codec {
        None => bytes,
        Some(codec) => {
            expanded = expanded_body(codec, bytes)?;
            &expanded
        }
    };
    if form == Form::Json && !JSON.hold(plain) {
        return Err(ApiError::invalid("the export holds too many values"));
    }
    let read = if form == Form::Json { from_json } else { from_protobuf };
    let spans = read(plain, Bounds::default()).map_err(|error| match error {
        OtlpError::Id(_) => ApiError::new(ErrorCode::UnprocessableEntity, error.to_string()),
        error => ApiError::invalid(error.to_string()),
    })?;
    if spans.is_empty() {
        return Err(ApiError::invalid("Invalid OpenTelemetry format - no spans found"));
    }
    Ok(spans)
}

fn expanded_body(codec: Codec, bytes: &[u8]) -> Result<Vec<u8>, ApiError> {
    let limit = bytes.len().saturating_mul(MAX_RATIO).clamp(FREE, MAX_EXPANDED);
    let expanded = expand(codec, bytes, limit as u64);
    match expanded.end {
        ExpandEnd::Complete => Ok(expanded.bytes),
        ExpandEnd::Bound => Err(ApiError::invalid(format!("the body expands to more than {limit} bytes"))),
        _ => Err(ApiError::invalid("Failed to decompress the payload")),
    }
}
