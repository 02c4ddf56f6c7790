//! `GET /account/second-factor`: whether there is one. `POST` begins to set one up, by the password, and shows it once; `POST …/confirm`
//! has it asked for from then on, by a code of it, and shows the codes to recover with; `POST …/disable` ends it.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;

use super::{Submitted, Visitor, qr, told};
use crate::http::{ApiError, ApiState, Cookie};
use crate::ui::page::{escape, page};
use crate::ui::with_cookies;

const TITLE: &str = "Second factor";

const BEGIN: &str = r#"<h2>Second factor</h2><p>From then on a code of an authenticator app is asked for beside your password.</p>
<form method="post" action="/account/second-factor"><input type="hidden" name="token" value="{token}">
<label for="password">Your password once more</label>
<input id="password" name="password" type="password" autocomplete="current-password" maxlength="1024" required>
<button type="submit">Set it up</button></form>"#;

const CONFIRM: &str = r#"<form method="post" action="/account/second-factor/confirm"><input type="hidden" name="token" value="{token}">
<label for="code">The code that the app shows now</label>
<input id="code" name="code" autocomplete="one-time-code" inputmode="numeric" spellcheck="false" maxlength="64" required>
<button type="submit">Turn it on</button></form>"#;

const DISABLE: &str = r#"<h2>Second factor</h2><p>It is on.</p>
<form method="post" action="/account/second-factor/disable"><input type="hidden" name="token" value="{token}">
<label for="code">To turn it off: a code of your app, or one to recover with</label>
<input id="code" name="code" autocomplete="one-time-code" spellcheck="false" maxlength="64" required>
<button type="submit">Turn it off</button></form>"#;

pub(in crate::ui) async fn show(State(state): State<ApiState>, visitor: Visitor) -> Response {
    status(&state, &visitor, StatusCode::OK, "").await
}

async fn status(state: &ApiState, visitor: &Visitor, status: StatusCode, message: &str) -> Response {
    match state.server().second_factor_status(&visitor.caller).await {
        Ok(factor) => visitor.page(status, TITLE, if factor.enabled { DISABLE } else { BEGIN }, message),
        Err(error) => ApiError::from(error).into_response(),
    }
}

pub(in crate::ui) async fn begin(State(state): State<ApiState>, sent: Submitted) -> Response {
    let Submitted { visitor, mut form } = sent;
    let password = form.take_or_empty("password");
    match state.server().begin_second_factor(&visitor.caller, password).await {
        Ok(setup) => {
            let drawn = qr::svg(setup.uri.expose()).unwrap_or_default();
            let html = format!(
                "<h2>Second factor</h2><p>Read this with an authenticator app. It is shown this once.</p>{drawn}\
                 <p>Or type: <code id=\"secret\">{}</code></p>{CONFIRM}",
                escape(setup.secret.expose())
            );
            visitor.page(StatusCode::OK, TITLE, &html, "")
        }
        Err(error) => match told(error) {
            Ok((code, message)) => status(&state, &visitor, code, &message).await,
            Err(answer) => answer,
        },
    }
}

pub(in crate::ui) async fn confirm(State(state): State<ApiState>, sent: Submitted) -> Response {
    let Submitted { visitor, mut form } = sent;
    let code = form.take_or_empty("code");
    match state.server().confirm_second_factor(&visitor.caller, &code).await {
        Ok(codes) => {
            let codes: String = codes.iter().map(|code| format!("<li><code>{}</code></li>", escape(code))).collect();
            let html = format!(
                "<h2>Second factor</h2><p>It is on. Each of these lets you in once when the app is lost. They are shown this \
                 once: keep them apart from your password.</p><ul id=\"codes\">{codes}</ul>\
                 <p>All your browsers are logged out. <a href=\"/login\">Log in again</a></p>"
            );
            // The session has ended with the others.
            with_cookies(page(StatusCode::OK, TITLE, &html, "", ""), [Cookie::Session.clear(state.config())])
        }
        Err(error) => match told(error) {
            Ok((code, message)) => visitor.page(code, TITLE, CONFIRM, &message),
            Err(answer) => answer,
        },
    }
}

pub(in crate::ui) async fn disable(State(state): State<ApiState>, sent: Submitted) -> Response {
    let Submitted { visitor, mut form } = sent;
    let code = form.take_or_empty("code");
    match state.server().disable_second_factor(&visitor.caller, &code).await {
        Ok(()) => status(&state, &visitor, StatusCode::OK, "The second factor is off.").await,
        Err(error) => match told(error) {
            Ok((code, message)) => status(&state, &visitor, code, &message).await,
            Err(answer) => answer,
        },
    }
}
