use axum::Json;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{HeaderName, HeaderValue, header};
use serde::Serialize;

use super::ApiError;

/// What a handler gives: an answer as JSON, or an error in MLflow's shape.
pub(crate) type Answer<T> = Result<Json<T>, ApiError>;

/// An answer that may be large and is made from its parts as it is written: away from the threads that serve everybody.
pub(crate) async fn large_answer<T: Serialize + Send + 'static>(value: T) -> Result<Response, ApiError> {
    let written = tokio::task::spawn_blocking(move || serde_json::to_vec(&value)).await;
    let written = written.map_err(|error| ApiError::internal(format!("an answer could not be written: {error}")))?;
    let bytes = written.map_err(|error| ApiError::internal(format!("an answer could not be written: {error}")))?;
    Ok(([(header::CONTENT_TYPE, "application/json")], bytes).into_response())
}

/// `{}`.
#[derive(Debug, Serialize)]
pub(crate) struct Empty {}

/// An answer that holds a secret: no cache may keep it. (No answer of this server is kept, but this one must not be
/// even if that changes.)
#[derive(Debug)]
pub(crate) struct Secret<T>(pub(crate) T);

impl<T: Serialize> IntoResponse for Secret<T> {
    fn into_response(self) -> Response {
        let no_store = [(header::CACHE_CONTROL, "no-store"), (header::PRAGMA, "no-cache")];
        (no_store, Json(self.0)).into_response()
    }
}

/// What a page of this server may do, in place of nothing.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PagePolicy(pub(crate) &'static str);

/// Whether answers go over TLS.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OverTls(pub(crate) bool);

/// What a page may not even ask a browser for. MLflow's pages copy to the clipboard, which is left alone.
const PERMISSIONS: &str = "accelerometer=(), autoplay=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), \
    hid=(), magnetometer=(), microphone=(), midi=(), payment=(), screen-wake-lock=(), \
    serial=(), usb=(), xr-spatial-tracking=()";

/// Headers of every answer: nothing of it is run, framed, guessed at or kept; and who came over TLS once comes so for a year.
pub(crate) async fn headers(State(OverTls(tls)): State<OverTls>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let fixed = [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'; sandbox"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("permissions-policy"), PERMISSIONS),
        (HeaderName::from_static("x-permitted-cross-domain-policies"), "none"),
    ];
    for (name, value) in fixed {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    if tls {
        let value = HeaderValue::from_static("max-age=31536000");
        response.headers_mut().insert(header::STRICT_TRANSPORT_SECURITY, value);
    }
    // Only this server's own pages may do more, and each says itself what.
    if let Some(PagePolicy(policy)) = response.extensions_mut().remove() {
        response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
        // With `no-referrer` a browser says `Origin: null` when it sends a form.
        response.headers_mut().insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    }
    response.headers_mut().entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}
