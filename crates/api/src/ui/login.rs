//! `GET /login` and `POST /login`: the log-in page, and the begin of a session.

use axum::extract::{Request, State};
use axum::response::{IntoResponse, Redirect, Response};
use http::{HeaderMap, StatusCode, header};
use sealyard_app::{AppError, LoginProvider, SECOND_FACTOR};
use sealyard_core::Redacted;

use super::form::Form;
use super::page::{escape, page};
use super::{request_id, with_cookies};
use crate::http::{ApiError, ApiState, Cookie, FormToken, check_with_cookie, page_caller, peer, read_cookie};

const FORM: &str = r#"<form method="post" action="/login" autocomplete="on">
<input type="hidden" name="token" value="{token}">
<label for="name">User name</label>
<input id="name" name="name" autocomplete="username" autocapitalize="none" spellcheck="false" maxlength="128" required autofocus>
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password" maxlength="1024" required>
{code}<button type="submit">Log in</button>
</form>"#;

const CODE: &str = r#"<label for="code">Code of your authenticator app, or one to recover with</label>
<input id="code" name="code" autocomplete="one-time-code" inputmode="text" spellcheck="false" maxlength="64">
"#;

pub(super) async fn show(State(state): State<ApiState>, request: Request) -> Response {
    if page_caller(&state, &request).await.is_some() {
        return Redirect::to("/").into_response();
    }
    form(&state, request.headers(), StatusCode::OK, "", false)
}

/// The page, with a token that is in its form and in a cookie: only the browser that was given both can send both.
fn form(state: &ApiState, headers: &HeaderMap, status: StatusCode, message: &str, code: bool) -> Response {
    let (token, cookie) = match FormToken::of_cookie(state.config(), headers) {
        Some(token) => (token, None),
        None => {
            let token = FormToken::random(state);
            let cookie = Cookie::Form.set(state.config(), token.expose());
            (token, cookie)
        }
    };
    let fields = FORM.replace("{code}", if code { CODE } else { "" });
    let form = format!("{fields}{}", providers(state));
    with_cookies(page(status, "Log in", &form, message, token.expose()), [cookie])
}

/// Where else one can log in.
fn providers(state: &ApiState) -> String {
    let link = |provider: LoginProvider| {
        let (name, display) = (escape(&provider.name), escape(&provider.display));
        format!("<p><a href=\"/auth/oidc/{name}/login\">Log in with {display}</a></p>")
    };
    let saml = state.server().saml_logins().into_iter().map(|name| {
        let name = escape(&name);
        format!("<p><a href=\"/auth/saml/{name}/login\">Log in with {name}</a></p>")
    });
    state.server().oidc_logins().into_iter().map(link).chain(saml).collect()
}

pub(super) async fn handler(State(state): State<ApiState>, request: Request) -> Response {
    let (source, id) = (peer(&request), request_id(&request));
    if let Err(error) = check_with_cookie(&request) {
        return error.into_response();
    }
    let (parts, body) = request.into_parts();
    let headers = parts.headers;
    let form_of = match Form::receive(&headers, body).await {
        Ok(form) => form,
        Err(error) => return error.into_response(),
    };
    let Some(fields) = form_of.and_then(Fields::take) else {
        return form(&state, &headers, StatusCode::BAD_REQUEST, "The form could not be read.", false);
    };
    if !FormToken::of_cookie(state.config(), &headers).is_some_and(|expected| expected.is(&fields.token)) {
        let message = "The page was too old, or its cookie did not come back. Please try again.";
        return form(&state, &headers, StatusCode::FORBIDDEN, message, false);
    }
    let asked = fields.code.is_some();
    let previous = read_cookie(Cookie::Session, state.config(), &headers);
    match state
        .server()
        .log_in_with_code(fields.name, fields.password, fields.code, previous.as_ref(), source, id)
        .await
    {
        Ok(session) => {
            let config = state.config();
            let cookies = [Cookie::Session.set(config, session.secret.expose()), Cookie::Form.clear(config)];
            with_cookies(Redirect::to("/").into_response(), cookies)
        }
        Err(AppError::Unauthenticated) => {
            let message = if asked { "The name, password or code is wrong." } else { "The name or password is wrong." };
            form(&state, &headers, StatusCode::UNAUTHORIZED, message, asked)
        }
        Err(AppError::Denied { rule: SECOND_FACTOR, .. }) => {
            let message = "Please give the password once more, and the code of your authenticator app.";
            form(&state, &headers, StatusCode::UNAUTHORIZED, message, true)
        }
        Err(AppError::Throttled(seconds) | AppError::TooOften(seconds)) => {
            let message = format!("Too many attempts. Try again in {seconds} s.");
            let mut response = form(&state, &headers, StatusCode::TOO_MANY_REQUESTS, &message, asked);
            response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
            response
        }
        Err(error) => ApiError::from(error).into_response(),
    }
}

#[derive(Debug)]
struct Fields {
    name: String,
    password: Redacted<String>,
    token: Redacted<String>,
    /// Of the second factor; absent where the page did not ask, or nothing was typed.
    code: Option<Redacted<String>>,
}

impl Fields {
    fn take(mut form: Form) -> Option<Self> {
        let name = form.take("name")?.expose().clone();
        let code = form.take("code").filter(|code| !code.expose().trim().is_empty());
        Some(Self { name, password: form.take("password")?, token: form.take("token")?, code })
    }
}
