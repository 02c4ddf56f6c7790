use std::net::{IpAddr, SocketAddr};

use axum::extract::{ConnectInfo, FromRequestParts, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use http::request::Parts;
use sealyard_app::{AppError, Caller, Credentials};
use sealyard_core::{Redacted, Timestamp};

use super::{ApiError, ApiState, RequestId, cookie, origin};

/// A password longer than this is no password.
const MAX_HEADER: usize = 4096;
/// Nor is a token longer than this one: those of identity providers hold all that they say.
const MAX_BEARER: usize = 17 * 1024;
/// A code of the second factor, beside Basic: it is good once, so that only a request that makes a token has use for it.
const CODE: &str = "x-sealyard-code";

/// Lets a request through only with who sent it in its extensions.
pub(super) async fn require(State(state): State<ApiState>, mut request: Request, next: Next) -> Response {
    let source = peer(&request);
    let request_id = request.extensions().get::<RequestId>().map(|id| id.as_str().to_owned());
    if let Some(caller) = state.server().local_administrator(source, request_id.clone()) {
        request.extensions_mut().insert(caller);
        return next.run(request).await;
    }
    let credentials = match shown(&state, &request) {
        Ok(Some(credentials)) => credentials,
        Ok(None) => return unauthenticated(&request, AppError::Unauthenticated),
        Err(error) => return error.into_response(),
    };
    match state.server().authenticate(credentials, source, request_id).await {
        Ok(caller) => {
            request.extensions_mut().insert(caller);
            next.run(request).await
        }
        Err(error) => unauthenticated(&request, error),
    }
}

/// The certificate that came with the connection of a request, and is good. The listener puts it among the request's extensions.
#[derive(Debug, Clone)]
pub struct ShownCertificate {
    /// The account that it stands for by the server's rules.
    pub account: Option<String>,
    /// The second, since 1970, with which it ends.
    pub expires: i64,
}

/// What the request shows to prove who sent it: its `Authorization` header, without one its session's cookie, and without that the
/// certificate of its connection.
///
/// A browser sends the cookie unasked, whoever made the page that asks; so with a cookie the request must come from a
/// page of this server.
fn shown(state: &ApiState, request: &Request) -> Result<Option<Credentials>, ApiError> {
    if request.headers().contains_key(AUTHORIZATION) {
        return Ok(credentials(request.headers()));
    }
    if let Some(secret) = cookie::session(state.config(), request.headers()) {
        origin::check_with_cookie(request)?;
        return Ok(Some(Credentials::Session(secret)));
    }
    let Some(shown) = request.extensions().get::<ShownCertificate>() else { return Ok(None) };
    origin::check_with_certificate(request)?;
    let expires = Timestamp::from_millis(shown.expires.saturating_mul(1000));
    Ok(Some(Credentials::Certificate { account: shown.account.clone(), expires }))
}

/// Who sent the request, if it proves it; for pages, which answer nobody otherwise than an API does.
pub(crate) fn page_caller<'a>(
    state: &'a ApiState,
    request: &Request,
) -> impl Future<Output = Option<Caller>> + Send + use<'a> {
    let credentials = shown(state, request).ok().flatten();
    let request_id = request.extensions().get::<RequestId>().map(|id| id.as_str().to_owned());
    let source = peer(request);
    async move {
        if let Some(caller) = state.server().local_administrator(source, request_id.clone()) {
            return Some(caller);
        }
        state.server().authenticate(credentials?, source, request_id).await.ok()
    }
}

/// A refusal. A page's own requests are not asked for a password: the browser would put its box over the page.
fn unauthenticated(request: &Request, error: AppError) -> Response {
    let mut response = ApiError::from(error).into_response();
    if request.headers().contains_key("sec-fetch-mode") {
        response.headers_mut().remove(WWW_AUTHENTICATE);
    }
    response
}

/// The address of the connection. Headers such as `X-Forwarded-For` are anybody's to write and are not looked at.
pub(crate) fn peer(request: &Request) -> Option<IpAddr> {
    request.extensions().get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(address)| address.ip())
}

/// Reads the one `Authorization` header. Two of them, or anything but Basic and Bearer, are none.
fn credentials(headers: &HeaderMap) -> Option<Credentials> {
    let mut all = headers.get_all(AUTHORIZATION).iter();
    let (value, None) = (all.next()?, all.next()) else { return None };
    let text = value.to_str().ok().filter(|text| text.len() <= MAX_BEARER)?;
    let (scheme, rest) = text.split_once(' ')?;
    let rest = rest.trim();
    if scheme.eq_ignore_ascii_case("bearer") {
        return Some(Credentials::Token(Redacted::new(rest.to_owned())));
    }
    if text.len() > MAX_HEADER || !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = Redacted::new(String::from_utf8(STANDARD.decode(rest).ok()?).ok()?);
    let (name, password) = decoded.expose().split_once(':')?;
    let (name, password) = (name.to_owned(), Redacted::new(password.to_owned()));
    let mut codes = headers.get_all(CODE).iter();
    Some(match (codes.next(), codes.next()) {
        (None, _) => Credentials::Password { name, password },
        (Some(code), None) => {
            let code = code.to_str().ok().filter(|code| code.len() <= 64)?;
            Credentials::PasswordAndCode { name, password, code: Redacted::new(code.to_owned()) }
        }
        (Some(_), Some(_)) => return None,
    })
}

/// Who sent the request: what [`App::authorize`](sealyard_app::App::authorize) asks about.
#[derive(Debug, Clone)]
pub struct Identified(pub Caller);

impl FromRequestParts<ApiState> for Identified {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &ApiState) -> Result<Self, Self::Rejection> {
        // Absent only if a route was mounted outside of the layer: then nobody gets in.
        parts.extensions.get::<Caller>().cloned().map(Self).ok_or_else(|| AppError::Unauthenticated.into())
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn read(values: &[&str]) -> Option<Credentials> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(AUTHORIZATION, HeaderValue::from_str(value).unwrap());
        }
        credentials(&headers)
    }

    #[test]
    fn basic_and_bearer_are_read() {
        let Some(Credentials::Password { name, password }) = read(&["Basic YWRhOmE6Yg=="]) else { panic!() };
        assert_eq!((name.as_str(), password.expose().as_str()), ("ada", "a:b"));
        let Some(Credentials::Token(token)) = read(&["bearer sy_x"]) else { panic!() };
        assert_eq!(token.expose(), "sy_x");
    }

    #[test]
    fn anything_else_is_nobody() {
        let long = format!("Bearer {}", "x".repeat(MAX_BEARER));
        let long_password = format!("Basic {}", "YWRh".repeat(MAX_HEADER / 4));
        for values in [
            &[][..],
            &["Basic"],
            &["Basic ???"],
            &["Basic YWRh"],
            &["Digest x"],
            &["Bearer a", "Bearer b"],
            &["Basic /////w=="],
            &[long.as_str()],
            &[long_password.as_str()],
        ] {
            assert!(read(values).is_none(), "{values:?}");
        }
    }
}
