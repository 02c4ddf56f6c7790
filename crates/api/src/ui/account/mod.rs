//! Pages on which people look after their own account: the second factor, the browsers they are logged in with, their tokens.
//!
//! They are for who logged in on a page, and each form brings back the token of that session: no page of another server can send one.

mod command_line;
mod overview;
mod qr;
mod second_factor;
mod sessions;
mod tokens;

use axum::extract::{FromRequest, FromRequestParts as _, Request};
use axum::response::{IntoResponse, Redirect, Response};
use http::StatusCode;
use sealyard_app::{AppError, Caller};
use sealyard_core::Timestamp;
use sealyard_identity::Via;

use super::form::Form;
use super::page::page;
use crate::http::Takes::{Nobody, Somebody};
use crate::http::routes::{Routes, get, post};
use crate::http::{ApiError, ApiState, FormToken, Identified, check_with_cookie, page_caller};

pub(super) fn routes() -> Routes {
    // Who is nobody is sent on to the log-in page by those that only show something.
    Routes::new()
        .route("/account", get(Nobody, overview::show))
        .route("/account/command-line", get(Nobody, command_line::show).post(Somebody, command_line::allow))
        .route("/account/second-factor", get(Nobody, second_factor::show).post(Somebody, second_factor::begin))
        .route("/account/second-factor/confirm", post(Somebody, second_factor::confirm))
        .route("/account/second-factor/disable", post(Somebody, second_factor::disable))
        .route("/account/sessions", get(Nobody, sessions::show))
        .route("/account/sessions/end", post(Somebody, sessions::end))
        .route("/account/tokens", get(Nobody, tokens::show))
        .route("/account/tokens/create", post(Somebody, tokens::create))
        .route("/account/tokens/revoke", post(Somebody, tokens::revoke))
}

/// Somebody who logged in on a page.
#[derive(Debug)]
struct Visitor {
    caller: Caller,
    token: FormToken,
}

/// What they send with a form of a page that was made for them.
struct Submitted {
    visitor: Visitor,
    form: Form,
}

impl FromRequest<ApiState> for Visitor {
    type Rejection = Response;

    /// Who asks for a page, or where they are sent.
    async fn from_request(request: Request, state: &ApiState) -> Result<Self, Response> {
        let token = FormToken::of_session(state.config(), request.headers());
        match (token, page_caller(state, &request).await) {
            (Some(token), Some(caller)) if is_session(&caller) => Ok(Self { caller, token }),
            _ => Err(Redirect::to("/login").into_response()),
        }
    }
}

impl FromRequest<ApiState> for Submitted {
    type Rejection = Response;

    async fn from_request(request: Request, state: &ApiState) -> Result<Self, Response> {
        let (mut parts, body) = request.into_parts();
        let Identified(caller) =
            Identified::from_request_parts(&mut parts, state).await.map_err(IntoResponse::into_response)?;
        let request = Request::from_parts(parts, body);
        let token = FormToken::of_session(state.config(), request.headers()).filter(|_| is_session(&caller));
        let Some(token) = token else {
            return Err(ApiError::invalid("this is for who logged in on a page").into_response());
        };
        check_with_cookie(&request).map_err(IntoResponse::into_response)?;
        let (parts, body) = request.into_parts();
        let form = Form::receive(&parts.headers, body).await.map_err(IntoResponse::into_response)?;
        let Some(mut form) = form else {
            return Err(ApiError::invalid("the form could not be read").into_response());
        };
        if !form.take("token").is_some_and(|given| token.is(&given)) {
            let message = "The page was too old. Please go back to your account and try again.";
            return Err(page(StatusCode::FORBIDDEN, "Your account", BACK, message, ""));
        }
        Ok(Self { visitor: Visitor { caller, token }, form })
    }
}

impl Visitor {
    /// A page with forms of theirs.
    fn page(&self, status: StatusCode, title: &str, html: &str, message: &str) -> Response {
        page(status, title, &format!("{html}{BACK}"), message, self.token.expose())
    }
}

fn is_session(caller: &Caller) -> bool {
    caller.principal().is_some_and(|principal| matches!(principal.via, Via::Session))
}

const BACK: &str = r#"<p><a href="/account">Your account</a></p>"#;

/// What went wrong, for people: the status, and the words where there are some.
#[allow(clippy::result_large_err, reason = "the answer is the error")]
fn told(error: AppError) -> Result<(StatusCode, String), Response> {
    match error {
        AppError::Invalid(text) | AppError::Conflict(text) => Ok((StatusCode::BAD_REQUEST, text)),
        AppError::Throttled(seconds) | AppError::TooOften(seconds) => {
            Ok((StatusCode::TOO_MANY_REQUESTS, format!("Too many attempts. Try again in {seconds} s.")))
        }
        AppError::NotFound { .. } => Ok((StatusCode::NOT_FOUND, "It is not there any more.".to_owned())),
        AppError::Unauthenticated => Err(Redirect::to("/login").into_response()),
        other => Err(ApiError::from(other).into_response()),
    }
}

/// A time as people read it, to the minute.
fn shown(time: Timestamp) -> String {
    time.to_rfc3339().chars().take(16).map(|letter| if letter == 'T' { ' ' } else { letter }).collect()
}
