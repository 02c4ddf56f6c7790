//! `GET /logout` and `POST /logout`: asks, and ends the session; then, for who logged in at a provider, goes there to do the same.

use axum::extract::{Request, State};
use axum::response::{IntoResponse, Redirect, Response};
use http::{HeaderMap, StatusCode};

use super::form::Form;
use super::oidc::go_on;
use super::page::page;
use super::{request_id, with_cookies};
use crate::http::{ApiError, ApiState, Cookie, FormToken, check_with_cookie, peer, read_cookie};

const FORM: &str = r#"<form method="post" action="/logout"><input type="hidden" name="token" value="{token}"><p>End this browser's session?</p>
<button type="submit">Log out</button></form><p><a href="/account">Your account</a></p>"#;

pub(super) async fn show(State(state): State<ApiState>, request: Request) -> Response {
    form(&state, request.headers(), StatusCode::OK, "")
}

fn form(state: &ApiState, headers: &HeaderMap, status: StatusCode, message: &str) -> Response {
    let token = FormToken::of_session(state.config(), headers);
    page(status, "Log out", FORM, message, token.as_ref().map_or("", FormToken::expose))
}

pub(super) async fn handler(State(state): State<ApiState>, request: Request) -> Response {
    if let Err(error) = check_with_cookie(&request) {
        return error.into_response();
    }
    let (source, id) = (peer(&request), request_id(&request));
    let (parts, body) = request.into_parts();
    let headers = parts.headers;
    // Without a session there is nothing to end, and nothing that a page of somebody else could do.
    if let Some(expected) = FormToken::of_session(state.config(), &headers) {
        let form_of = match Form::receive(&headers, body).await {
            Ok(form) => form,
            Err(error) => return error.into_response(),
        };
        let given = form_of.and_then(|mut form| form.take("token"));
        if !given.is_some_and(|given| expected.is(&given)) {
            return form(&state, &headers, StatusCode::FORBIDDEN, "The page was too old. Please try again.");
        }
    }
    let mut elsewhere = None;
    if let Some(secret) = read_cookie(Cookie::Session, state.config(), &headers) {
        elsewhere = state.server().oidc_end_session(&secret).await;
        if let Err(error) = state.server().log_out(&secret, source, id).await {
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
