//! `GET /auth/saml/{provider}/login`: sends the browser to the provider.

use axum::extract::{Path, RawQuery, State};
use axum::response::{IntoResponse, Redirect, Response};

use crate::http::{ApiState, Cookie};
use crate::ui::oidc::{failed, wanted};
use crate::ui::with_cookies;

pub(super) async fn handler(
    State(state): State<ApiState>,
    Path(provider): Path<String>,
    RawQuery(query): RawQuery,
) -> Response {
    let next = query.as_deref().and_then(wanted).unwrap_or_default();
    match state.server().begin_saml(&provider, &next) {
        Ok(begun) => {
            let cookie = Cookie::Saml.set(state.config(), begun.cookie.expose());
            with_cookies(Redirect::to(&begun.url).into_response(), [cookie])
        }
        Err(error) => failed(error),
    }
}
