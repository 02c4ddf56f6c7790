//! `GET /static-files/{path}`: a file of the UI.

use std::sync::Arc;

use axum::extract::{Path, Request, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};

use super::files::{PageFile, Pages};
use super::{UI_POLICY, with_policy};
use crate::http::{ApiError, ApiState, Identified, not_found};

/// Files below this folder have a hash of their content in their name.
const HASHED: &str = "static/";

pub(super) async fn handler(
    State(state): State<ApiState>,
    Identified(_): Identified,
    Path(path): Path<String>,
    request: Request,
) -> Response {
    let cache = if path.starts_with(HASHED) { "private, max-age=31536000, immutable" } else { "private, no-cache" };
    match state.config().pages() {
        Some(pages) => send(pages, &path, cache, request.headers()).await,
        None => not_found().await.into_response(),
    }
}

/// Sends a file of the list, or that the browser has it already.
pub(super) async fn send(pages: &Arc<Pages>, path: &str, cache: &'static str, known: &HeaderMap) -> Response {
    let Some(file) = pages.get(path).cloned() else { return not_found().await.into_response() };
    let Ok(tag) = HeaderValue::try_from(format!("\"{}\"", file.digest.to_hex())) else {
        return ApiError::internal("a digest is no header").into_response();
    };
    let headers = [(header::ETAG, tag.clone()), (header::CACHE_CONTROL, HeaderValue::from_static(cache))];
    if known.get(header::IF_NONE_MATCH).is_some_and(|known| *known == tag) {
        return (StatusCode::NOT_MODIFIED, headers).into_response();
    }
    let PageFile { content_type, .. } = file;
    match tokio::task::spawn_blocking(move || file.read()).await {
        Ok(Some(bytes)) => {
            let kind = [(header::CONTENT_TYPE, HeaderValue::from_static(content_type))];
            let response = (headers, kind, bytes).into_response();
            // A picture or script opened on its own gets no rights; a page gets those of the UI.
            if content_type.starts_with("text/html") || content_type.starts_with("text/javascript") {
                with_policy(response, UI_POLICY)
            } else {
                response
            }
        }
        Ok(None) => ApiError::internal(format!("the UI's file {path} is not what it was when the server started"))
            .into_response(),
        Err(error) => ApiError::internal(format!("the UI's file {path} could not be read: {error}")).into_response(),
    }
}
