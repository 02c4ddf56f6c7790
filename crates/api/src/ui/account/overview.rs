//! `GET /account`: who one is, and what can be looked after.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;

use super::Visitor;
use crate::http::{ApiError, ApiState};
use crate::ui::page::{escape, page};

pub(in crate::ui) async fn show(State(state): State<ApiState>, visitor: Visitor) -> Response {
    let factor = match state.server().second_factor_status(&visitor.caller).await {
        Ok(status) if status.enabled => format!("on, {} codes to recover with", status.recovery_codes),
        Ok(_) => "off".to_owned(),
        Err(error) => return ApiError::from(error).into_response(),
    };
    let name = visitor.caller.principal().map(|principal| principal.name.to_string()).unwrap_or_default();
    let html = format!(
        "<h2>{}</h2><ul>\
         <li><a href=\"/account/second-factor\">Second factor</a>: {factor}</li>\
         <li><a href=\"/account/sessions\">Browsers you are logged in with</a></li>\
         <li><a href=\"/account/tokens\">Tokens</a></li></ul>\
         <p><a href=\"/\">Back to MLflow</a> · <a href=\"/logout\">Log out</a></p>",
        escape(&name)
    );
    page(StatusCode::OK, "Your account", &html, "", "")
}
