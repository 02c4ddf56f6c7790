//! `GET /`: the UI, for who is logged in.

use axum::extract::{Request, State};
use axum::response::{IntoResponse, Redirect, Response};

use super::static_file::send;
use crate::http::{ApiState, not_found, page_caller};

pub(super) async fn handler(State(state): State<ApiState>, request: Request) -> Response {
    if page_caller(&state, &request).await.is_none() {
        return Redirect::to("/login").into_response();
    }
    match state.config().pages() {
        Some(pages) => send(pages, "index.html", "private, no-cache", request.headers()).await,
        None => not_found().await.into_response(),
    }
}
