//! `GET /account/tokens`: one's tokens, without the secrets; `POST …/create` makes one, which is shown this once; `POST …/revoke` ends one.

use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use http::StatusCode;
use sealyard_app::{AppError, NewToken, TokenSummary};
use sealyard_identity::Scope;

use super::{Submitted, Visitor, shown, told};
use crate::http::ApiState;
use crate::ui::form::Form;
use crate::ui::page::escape;

const TITLE: &str = "Tokens";
/// Days that a token made here lives at most.
const MOST_DAYS: i64 = 366;

const NEW: &str = r#"<form method="post" action="/account/tokens/create"><input type="hidden" name="token" value="{token}">
<label for="scopes">What it may do at most, with blanks between: all, read, or such as experiment:7:edit</label>
<input id="scopes" name="scopes" value="read" spellcheck="false" autocapitalize="none" maxlength="2000" required>
<label for="days">Days until it ends</label>
<input id="days" name="days" type="number" min="1" max="366" value="30" required>
<button type="submit">Make a token</button></form>"#;

pub(in crate::ui) async fn show(State(state): State<ApiState>, visitor: Visitor) -> Response {
    list(&state, &visitor, StatusCode::OK, "").await
}

async fn list(state: &ApiState, visitor: &Visitor, status: StatusCode, message: &str) -> Response {
    let now = state.server().now();
    match state.server().tokens(&visitor.caller).await {
        Ok(tokens) => {
            let live = |one: &&TokenSummary| !one.revoked && one.expires.is_none_or(|end| end > now);
            let rows: String = tokens.iter().filter(live).map(row).collect();
            let html = format!(
                "<h2>{TITLE}</h2><table><tr><th>Scopes</th><th>Last used</th><th>Ends</th><th></th></tr>{rows}</table>\
                 <p>Times are UTC.</p>{NEW}"
            );
            visitor.page(status, TITLE, &html, message)
        }
        Err(error) => match told(error) {
            Ok((code, message)) => visitor.page(code, TITLE, "", &message),
            Err(answer) => answer,
        },
    }
}

fn row(token: &TokenSummary) -> String {
    format!(
        "<tr><td>{}</td><td>{}</td><td>{}</td><td><form method=\"post\" action=\"/account/tokens/revoke\">\
         <input type=\"hidden\" name=\"token\" value=\"{{token}}\"><input type=\"hidden\" name=\"id\" value=\"{}\">\
         <button type=\"submit\">Revoke</button></form></td></tr>",
        escape(&token.scopes.join(" ")),
        token.used.map_or_else(|| "never".to_owned(), shown),
        token.expires.map_or_else(|| "never".to_owned(), shown),
        escape(&token.id)
    )
}

fn wanted(state: &ApiState, form: &mut Form) -> Result<NewToken, AppError> {
    let scopes = form.take("scopes").map(|text| text.expose().clone()).unwrap_or_default();
    let scopes: Result<Vec<Scope>, _> = scopes.split_whitespace().take(101).map(str::parse).collect();
    let scopes = scopes.map_err(|error| AppError::Invalid(error.to_string()))?;
    let days = form.take("days").and_then(|text| text.expose().parse::<i64>().ok());
    let days = days.filter(|days| (1..=MOST_DAYS).contains(days));
    let days = days.ok_or_else(|| AppError::Invalid(format!("a token made here lives 1 to {MOST_DAYS} days")))?;
    Ok(NewToken { scopes, expires: Some(state.server().now().plus_seconds(days * 86_400)) })
}

pub(in crate::ui) async fn create(State(state): State<ApiState>, sent: Submitted) -> Response {
    let Submitted { visitor, mut form } = sent;
    let made = match wanted(&state, &mut form) {
        Ok(new) => state.server().create_token(&visitor.caller, new).await,
        Err(error) => Err(error),
    };
    match made {
        Ok((token, summary)) => {
            let html = format!(
                "<h2>A new token</h2><p>It is shown this once:</p><p><code id=\"made\">{}</code></p><p>Scopes: {}</p>\
                 <p><a href=\"/account/tokens\">Your tokens</a></p>",
                escape(token.expose()),
                escape(&summary.scopes.join(" "))
            );
            visitor.page(StatusCode::OK, TITLE, &html, "")
        }
        Err(error) => match told(error) {
            Ok((code, message)) => list(&state, &visitor, code, &message).await,
            Err(answer) => answer,
        },
    }
}

pub(in crate::ui) async fn revoke(State(state): State<ApiState>, sent: Submitted) -> Response {
    let Submitted { visitor, mut form } = sent;
    let id = form.take("id").map(|id| id.expose().clone()).unwrap_or_default();
    match state.server().revoke_token(&visitor.caller, &id).await {
        Ok(()) => Redirect::to("/account/tokens").into_response(),
        Err(error) => match told(error) {
            Ok((code, message)) => list(&state, &visitor, code, &message).await,
            Err(answer) => answer,
        },
    }
}
