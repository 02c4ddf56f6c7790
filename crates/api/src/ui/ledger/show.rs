//! `GET /ledger`: the page of the ledger, for who may read it.

use axum::extract::{Request, State};
use axum::response::{Html, IntoResponse as _, Redirect, Response};
use http::StatusCode;
use sealyard_app::AppError;
use sealyard_identity::{LedgerLog, Read};

use super::super::page::page;
use super::super::with_policy;
use crate::http::{ApiError, ApiState, page_caller};

/// Our own scripts and style, and what they ask of this server. Nothing inline, no pictures, no forms that are sent.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; form-action 'none'; \
    base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'";

pub(super) async fn handler(State(state): State<ApiState>, request: Request) -> Response {
    let Some(caller) = page_caller(&state, &request).await else {
        return Redirect::to("/login").into_response();
    };
    match state.server().authorize(&caller, Read, LedgerLog).await {
        Ok(_) => with_policy(Html(include_str!("../assets/ledger.html")).into_response(), POLICY),
        Err(AppError::Denied { .. }) => {
            page(StatusCode::FORBIDDEN, "Ledger", "<p><a href=\"/\">Back</a></p>", "You may not read the ledger.", "")
        }
        Err(error) => ApiError::from(error).into_response(),
    }
}
