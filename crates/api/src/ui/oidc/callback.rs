//! `GET /auth/oidc/{provider}/callback`: where the provider sends the browser back. Begins a session.

use axum::extract::{Path, Request, State};
use axum::response::Response;

use super::{asked, failed, go_on};
use crate::http::{ApiState, Cookie, read_cookie};
use crate::ui::with_cookies;

pub(super) async fn handler(State(state): State<ApiState>, Path(provider): Path<String>, request: Request) -> Response {
    let config = state.config();
    let cookie = read_cookie(Cookie::Oidc, config, request.headers());
    let previous = read_cookie(Cookie::Session, config, request.headers());
    let query = request.uri().query().unwrap_or_default();
    match state.server().finish_oidc(&provider, cookie, query, previous, asked(&request)).await {
        Ok((session, next)) => {
            let cookies = [Cookie::Session.set(config, session.secret.expose()), Cookie::Oidc.clear(config)];
            with_cookies(go_on("Logged in", &next), cookies)
        }
        // The cookie stays: whoever makes a browser come here must not end a log-in that is under way in it.
        Err(error) => failed(error),
    }
}
