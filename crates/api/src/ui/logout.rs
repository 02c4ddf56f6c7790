//! `GET /logout` and `POST /logout`: asks, and ends the session; then, for who logged in at a provider, goes there to do the same.

use axum::extract::{Request, State};
use axum::response::{IntoResponse, Redirect, Response};
use http::StatusCode;

use super::oidc::go_on;
use super::page::page;
use super::{request_id, with_cookies};
use crate::http::{ApiError, ApiState, Cookie, check_with_cookie, peer, read_cookie};

const FORM: &str = r#"<form method="post" action="/logout"><p>End this browser's session?</p>
<button type="submit">Log out</button></form>"#;

pub(super) async fn show() -> Response {
    page(StatusCode::OK, "Log out", FORM, "", "")
}

pub(super) async fn handler(State(state): State<ApiState>, request: Request) -> Response {
    if let Err(error) = check_with_cookie(&request) {
        return error.into_response();
    }
    let mut elsewhere = None;
    if let Some(secret) = read_cookie(Cookie::Session, state.config(), request.headers()) {
        elsewhere = state.server().oidc_end_session(&secret).await;
        if let Err(error) = state.server().log_out(&secret, peer(&request), request_id(&request)).await {
            return ApiError::from(error).into_response();
        }
    }
    // By a page and no redirect: a form may send its answer on to this server only.
    let response = match elsewhere {
        Some(provider) => go_on("Logged out", &provider),
        None => Redirect::to("/login").into_response(),
    };
    with_cookies(response, [Cookie::Session.clear(state.config()), Cookie::Form.clear(state.config())])
}
