//! `POST /auth/saml/{provider}/acs`: where the provider's page sends its response. Begins a session.

use axum::extract::{Path, Request, State};
use axum::response::{IntoResponse, Response};
use http::header;
use http_body_util::{BodyExt as _, Limited};
use percent_encoding::percent_decode_str;
use sealyard_app::SamlAnswer;
use sealyard_core::Redacted;

use crate::http::{ApiError, ApiState, Cookie, read_cookie};
use crate::ui::oidc::{asked, failed, go_on};
use crate::ui::with_cookies;

/// Bytes of a form: a response in Base64, with what percent signs add, and a `RelayState`.
const MAX_FORM: usize = 1024 * 1024;

pub(super) async fn handler(State(state): State<ApiState>, Path(provider): Path<String>, request: Request) -> Response {
    let config = state.config();
    let asked = asked(&request);
    let (cookie, previous) = {
        let headers = request.headers();
        (read_cookie(Cookie::Saml, config, headers), read_cookie(Cookie::Session, config, headers))
    };
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    if !kind.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        return ApiError::invalid("a form is application/x-www-form-urlencoded").into_response();
    }
    let Ok(body) = Limited::new(request.into_body(), MAX_FORM).collect().await else {
        return ApiError::invalid(format!("the form is larger than {MAX_FORM} bytes, or broke off")).into_response();
    };
    let body = Redacted::new(body.to_bytes().to_vec());
    let Some((response, relay)) = read(&body) else {
        return ApiError::invalid("the form holds no single SAMLResponse").into_response();
    };
    match state.server().finish_saml(&provider, SamlAnswer { response, relay, cookie }, previous, asked).await {
        Ok((session, next)) => {
            let cookies = [Cookie::Session.set(config, session.secret.expose()), Cookie::Saml.clear(config)];
            with_cookies(go_on("Logged in", &next), cookies)
        }
        // The cookie stays: whoever makes a browser come here must not end a log-in that is under way in it.
        Err(error) => failed(error),
    }
}

/// The form's one `SAMLResponse`, and its `RelayState` if there is one.
fn read(form: &Redacted<Vec<u8>>) -> Option<(String, Option<String>)> {
    let text = std::str::from_utf8(form.expose()).ok()?;
    let field = |name: &str| {
        let mut all = text.split('&').filter_map(|pair| pair.split_once('=')).filter(|(key, _)| *key == name);
        match (all.next(), all.next()) {
            (None, _) => Some(None),
            (Some((_, value)), None) => {
                let value = value.replace('+', " ");
                Some(Some(percent_decode_str(&value).decode_utf8().ok()?.into_owned()))
            }
            _ => None,
        }
    };
    Some((field("SAMLResponse")??, field("RelayState")?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_has_one_response() {
        let read = |text: &str| read(&Redacted::new(text.as_bytes().to_vec()));
        assert_eq!(read("RelayState=a%2Fb+c&SAMLResponse=x%2By%3D"), Some(("x+y=".into(), Some("a/b c".into()))));
        assert_eq!(read("SAMLResponse=x"), Some(("x".into(), None)));
        for text in [
            "",
            "RelayState=x",
            "SAMLResponse=x&SAMLResponse=x",
            "SAMLResponse=x&RelayState=a&RelayState=a",
            "SAMLResponse=%ff",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
