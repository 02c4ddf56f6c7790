//! `GET /account/command-line?port=…&challenge=…&state=…`: asks whether a command line of this machine may act as who is logged in,
//! and has what it shows typed: a click is had from anybody. `POST` makes its token and sends the browser to the command line, on
//! loopback, with a code for it.

use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use sealyard_app::LogInChallenge;
use sealyard_core::Digest;

use super::{Submitted, Visitor, told};
use crate::http::{ApiError, ApiState};
use crate::ui::oidc::go_on;
use crate::ui::page::escape;

const TITLE: &str = "Command line";

/// What a command line asks for.
struct Asked {
    port: u16,
    challenge: LogInChallenge,
    state: Digest,
}

impl Asked {
    /// From the fields of a query or of a form. Each has one spelling, so that nothing else gets into an address.
    fn read(mut field: impl FnMut(&str) -> Option<String>) -> Option<Self> {
        let port = field("port").filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
        let port = port?.parse().ok().filter(|port| *port >= 1024)?;
        let challenge = LogInChallenge::parse(&field("challenge")?)?;
        Some(Self { port, challenge, state: Digest::from_hex(&field("state")?).ok()? })
    }
}

pub(in crate::ui) async fn show(RawQuery(query): RawQuery, visitor: Visitor) -> Response {
    let query = query.unwrap_or_default();
    let field = |name: &str| {
        let mut all = query.split('&').filter_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
        let (Some(value), None) = (all.next(), all.next()) else { return None };
        Some(value.to_owned())
    };
    let Some(asked) = Asked::read(field) else {
        let message = "No command line asks like that. Please run `sealyard login` again.";
        return visitor.page(StatusCode::BAD_REQUEST, TITLE, "", message);
    };
    ask(&visitor, &asked, StatusCode::OK, "")
}

fn ask(visitor: &Visitor, asked: &Asked, status: StatusCode, message: &str) -> Response {
    let name = visitor.caller.principal().map(|principal| principal.name.to_string()).unwrap_or_default();
    let html = format!(
        "<h2>{TITLE}</h2><p>A command line on your machine asks to act as <b>{}</b> for up to 12 hours. Allow it only if you ran \
         <code>sealyard login</code> just now yourself. Never type what somebody sent you, and pass on no address that you are sent to \
         from here: whoever has it acts as you.</p>\
         <form method=\"post\" action=\"/account/command-line\"><input type=\"hidden\" name=\"token\" value=\"{{token}}\">\
         <input type=\"hidden\" name=\"port\" value=\"{}\"><input type=\"hidden\" name=\"challenge\" value=\"{}\">\
         <input type=\"hidden\" name=\"state\" value=\"{}\"><label for=\"shown\">The eight letters and digits that the \
         command line shows</label><input id=\"shown\" name=\"shown\" autocomplete=\"off\" spellcheck=\"false\" maxlength=\"64\" required>\
         <button type=\"submit\">Allow</button></form>",
        escape(&name),
        asked.port,
        asked.challenge.to_hex(),
        asked.state.to_hex()
    );
    visitor.page(status, TITLE, &html, message)
}

pub(in crate::ui) async fn allow(State(state): State<ApiState>, sent: Submitted) -> Response {
    let Submitted { visitor, mut form } = sent;
    let Some(asked) = Asked::read(|name| form.take(name).map(|value| value.expose().clone())) else {
        return ApiError::invalid("no command line asks like that").into_response();
    };
    let shown = form.take("shown").map(|value| value.expose().clone()).unwrap_or_default();
    if !asked.challenge.is_shown_as(&shown) {
        let message = "That is not what the command line shows. If you did not run one, close this page.";
        return ask(&visitor, &asked, StatusCode::BAD_REQUEST, message);
    }
    match state.server().allow_command_line(&visitor.caller, asked.challenge).await {
        Ok(code) => {
            let to = format!("http://127.0.0.1:{}/?state={}&code={}", asked.port, asked.state.to_hex(), code.expose());
            go_on("Allowed", &to)
        }
        Err(error) => match told(error) {
            Ok((code, message)) => visitor.page(code, TITLE, "", &message),
            Err(answer) => answer,
        },
    }
}
