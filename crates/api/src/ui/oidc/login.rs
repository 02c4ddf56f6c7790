//! `GET /auth/oidc/{provider}/login`: sends the browser to the provider.

use axum::extract::{Path, RawQuery, State};
use axum::response::{IntoResponse, Redirect, Response};
use percent_encoding::percent_decode_str;

use super::failed;
use crate::http::{ApiState, Cookie};
use crate::ui::with_cookies;

pub(super) async fn handler(
    State(state): State<ApiState>,
    Path(provider): Path<String>,
    RawQuery(query): RawQuery,
) -> Response {
    let next = query.as_deref().and_then(wanted).unwrap_or_default();
    match state.server().begin_oidc(&provider, &next).await {
        Ok(begun) => {
            let cookie = Cookie::Oidc.set(state.config(), begun.cookie.expose());
            with_cookies(Redirect::to(&begun.url).into_response(), [cookie])
        }
        Err(error) => failed(error),
    }
}

/// The one `next` of a query; whether it is a path of this server is looked at by who takes it.
pub(in crate::ui) fn wanted(query: &str) -> Option<String> {
    let mut all = query.split('&').filter_map(|pair| pair.strip_prefix("next="));
    let (next, None) = (all.next()?, all.next()) else { return None };
    Some(percent_decode_str(next).decode_utf8().ok()?.into_owned())
}
