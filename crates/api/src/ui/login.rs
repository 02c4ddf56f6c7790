//! `GET /login` and `POST /login`: the log-in page, and the begin of a session.

use axum::extract::{Request, State};
use axum::response::{IntoResponse, Redirect, Response};
use http::{HeaderMap, StatusCode, header};
use http_body_util::{BodyExt as _, Limited};
use percent_encoding::percent_decode_str;
use sealyard_app::{AppError, LoginProvider};
use sealyard_core::{Digest, Redacted};

use super::page::{escape, page};
use super::{request_id, with_cookies};
use crate::http::{ApiError, ApiState, Cookie, check_with_cookie, page_caller, peer, read_cookie};

/// Bytes of a form: a name, a password, a token.
const MAX_FORM: usize = 8 * 1024;

const FORM: &str = r#"<form method="post" action="/login" autocomplete="on">
<input type="hidden" name="token" value="{token}">
<label for="name">User name</label>
<input id="name" name="name" autocomplete="username" autocapitalize="none" spellcheck="false" maxlength="128" required autofocus>
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password" maxlength="1024" required>
<button type="submit">Log in</button>
</form>"#;

pub(super) async fn show(State(state): State<ApiState>, request: Request) -> Response {
    if page_caller(&state, &request).await.is_some() {
        return Redirect::to("/").into_response();
    }
    form(&state, request.headers(), StatusCode::OK, "")
}

/// The page, with a token that is in its form and in a cookie: only the browser that was given both can send both.
fn form(state: &ApiState, headers: &HeaderMap, status: StatusCode, message: &str) -> Response {
    let known = read_cookie(Cookie::Form, state.config(), headers).filter(|token| is_token(token.expose()));
    let (token, cookie) = match known {
        Some(token) => (token, None),
        None => {
            let token = Redacted::new(Digest::from_bytes(state.server().rng().bytes()).to_hex());
            let cookie = Cookie::Form.set(state.config(), token.expose());
            (token, cookie)
        }
    };
    let form = format!("{FORM}{}", providers(state));
    with_cookies(page(status, "Log in", &form, message, token.expose()), [cookie])
}

/// Where else one can log in.
fn providers(state: &ApiState) -> String {
    let link = |provider: LoginProvider| {
        let (name, display) = (escape(&provider.name), escape(&provider.display));
        format!("<p><a href=\"/auth/oidc/{name}/login\">Log in with {display}</a></p>")
    };
    state.server().oidc_logins().into_iter().map(link).collect()
}

fn is_token(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

pub(super) async fn handler(State(state): State<ApiState>, request: Request) -> Response {
    let (source, id) = (peer(&request), request_id(&request));
    if let Err(error) = check_with_cookie(&request) {
        return error.into_response();
    }
    let (parts, body) = request.into_parts();
    let headers = parts.headers;
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !kind.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        return ApiError::invalid("a form is application/x-www-form-urlencoded").into_response();
    }
    let Ok(body) = Limited::new(body, MAX_FORM).collect().await else {
        return ApiError::invalid(format!("the form is larger than {MAX_FORM} bytes, or broke off")).into_response();
    };
    let Some(fields) = Fields::read(&Redacted::new(body.to_bytes().to_vec())) else {
        return form(&state, &headers, StatusCode::BAD_REQUEST, "The form could not be read.");
    };
    let expected = read_cookie(Cookie::Form, state.config(), &headers);
    // Compared by digest: where two differ tells nothing of either.
    let same = expected.is_some_and(|expected| {
        is_token(expected.expose())
            && Digest::of(expected.expose().as_bytes()) == Digest::of(fields.token.expose().as_bytes())
    });
    if !same {
        let message = "The page was too old, or its cookie did not come back. Please try again.";
        return form(&state, &headers, StatusCode::FORBIDDEN, message);
    }
    let previous = read_cookie(Cookie::Session, state.config(), &headers);
    match state.server().log_in(fields.name, fields.password, previous.as_ref(), source, id).await {
        Ok(session) => {
            let config = state.config();
            let cookies = [Cookie::Session.set(config, session.secret.expose()), Cookie::Form.clear(config)];
            with_cookies(Redirect::to("/").into_response(), cookies)
        }
        Err(AppError::Unauthenticated) => {
            form(&state, &headers, StatusCode::UNAUTHORIZED, "The name or password is wrong.")
        }
        Err(AppError::Throttled(seconds) | AppError::TooOften(seconds)) => {
            let message = format!("Too many attempts. Try again in {seconds} s.");
            let mut response = form(&state, &headers, StatusCode::TOO_MANY_REQUESTS, &message);
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
}

impl Fields {
    /// Each of the three, once.
    fn read(body: &Redacted<Vec<u8>>) -> Option<Self> {
        let text = std::str::from_utf8(body.expose()).ok()?;
        let (mut name, mut password, mut token) = (None, None, None);
        for pair in text.split('&') {
            let (key, value) = pair.split_once('=')?;
            let value = percent_decode_str(&value.replace('+', " ")).decode_utf8().ok()?.into_owned();
            let twice = match key {
                "name" => name.replace(value).is_some(),
                "password" => password.replace(Redacted::new(value)).is_some(),
                "token" => token.replace(Redacted::new(value)).is_some(),
                _ => false,
            };
            if twice {
                return None;
            }
        }
        Some(Self { name: name?, password: password?, token: token? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<Fields> {
        Fields::read(&Redacted::new(text.as_bytes().to_vec()))
    }

    #[test]
    fn forms_are_decoded_once() {
        let fields = read("token=t&name=ada+b&password=%2525%26").unwrap();
        assert_eq!((fields.name.as_str(), fields.password.expose().as_str()), ("ada b", "%25&"));
    }

    #[test]
    fn odd_forms_are_none() {
        for text in
            ["", "name=a", "name=a&password=b", "name=a&name=b&password=c&token=d", "name=%ff&password=b&token=c", "x"]
        {
            assert!(read(text).is_none(), "{text}");
        }
    }
}
