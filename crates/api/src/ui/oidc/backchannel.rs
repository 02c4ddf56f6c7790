//! `POST /auth/oidc/{provider}/backchannel`: the provider's word that somebody logged out. Ends their sessions.

use axum::Json;
use axum::extract::{Path, Request, State};
use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};
use http_body_util::{BodyExt as _, Limited};
use percent_encoding::percent_decode;
use sealyard_app::AppError;
use serde_json::json;

use super::asked;
use crate::http::{ApiError, ApiState};

/// Bytes of a form with one token in it.
const MAX_FORM: usize = 32 * 1024;

pub(super) async fn handler(State(state): State<ApiState>, Path(provider): Path<String>, request: Request) -> Response {
    let asked = asked(&request);
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    if !kind.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        return invalid();
    }
    let Ok(body) = Limited::new(request.into_body(), MAX_FORM).collect().await else { return invalid() };
    let Some(token) = token(&body.to_bytes()) else { return invalid() };
    match state.server().oidc_logged_out(&provider, &token, asked).await {
        Ok(_) => StatusCode::OK.into_response(),
        Err(AppError::Refused { .. }) => invalid(),
        Err(error) => ApiError::from(error).into_response(),
    }
}

/// As section 2.8 of OpenID Connect Back-Channel Logout 1.0 wants it.
fn invalid() -> Response {
    (StatusCode::BAD_REQUEST, Json(json!({"error": "invalid_request"}))).into_response()
}

/// The form's one `logout_token`.
fn token(form: &[u8]) -> Option<String> {
    let mut all = form.split(|byte| *byte == b'&').filter_map(|pair| pair.strip_prefix(b"logout_token="));
    let (token, None) = (all.next()?, all.next()) else { return None };
    Some(percent_decode(token).decode_utf8().ok()?.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_has_one_token() {
        assert_eq!(token(b"a=b&logout_token=x%2Ey").as_deref(), Some("x.y"));
        for form in [&b""[..], b"a=b", b"logout_token=x&logout_token=x", b"logout_token=%ff"] {
            assert_eq!(token(form), None);
        }
    }
}
