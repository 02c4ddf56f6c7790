//! `GET /account/sessions`: the browsers that one is logged in with; `POST …/end` ends one, or all without an `id`.

use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use http::StatusCode;
use sealyard_app::SessionSummary;

use super::{Submitted, Visitor, shown, told};
use crate::http::{ApiError, ApiState};
use crate::ui::page::escape;

const TITLE: &str = "Browsers you are logged in with";

const ALL: &str = r#"<form method="post" action="/account/sessions/end"><input type="hidden" name="token" value="{token}">
<button type="submit">Log out everywhere</button></form>"#;

pub(in crate::ui) async fn show(State(state): State<ApiState>, visitor: Visitor) -> Response {
    match state.server().sessions_of(&visitor.caller, None).await {
        Ok(sessions) => {
            let rows: String = sessions.iter().map(row).collect();
            let html = format!(
                "<h2>{TITLE}</h2><table><tr><th>Logged in</th><th>Last used</th><th>Ends</th><th>By</th><th></th></tr>{rows}\
                 </table><p>Times are UTC.</p>{ALL}"
            );
            visitor.page(StatusCode::OK, TITLE, &html, "")
        }
        Err(error) => ApiError::from(error).into_response(),
    }
}

fn row(session: &SessionSummary) -> String {
    format!(
        "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td><form method=\"post\" action=\"/account/sessions/end\">\
         <input type=\"hidden\" name=\"token\" value=\"{{token}}\"><input type=\"hidden\" name=\"id\" value=\"{}\">\
         <button type=\"submit\">End</button></form></td></tr>",
        shown(session.created),
        shown(session.seen),
        shown(session.expires),
        escape(session.provider.as_deref().unwrap_or("password")),
        escape(&session.id)
    )
}

pub(in crate::ui) async fn end(State(state): State<ApiState>, sent: Submitted) -> Response {
    let Submitted { visitor, mut form } = sent;
    let id = form.take("id").map(|id| id.expose().clone());
    match state.server().end_sessions(&visitor.caller, None, id.as_deref()).await {
        // Whoever ended this one too is sent on to the log-in page from there.
        Ok(_) => Redirect::to("/account/sessions").into_response(),
        Err(error) => match told(error) {
            Ok((code, message)) => visitor.page(code, TITLE, "", &message),
            Err(answer) => answer,
        },
    }
}
