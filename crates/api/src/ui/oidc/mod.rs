//! Log-ins at OpenID providers.
//!
//! | method | path | |
//! |---|---|---|
//! | GET | `/auth/oidc/{provider}/login` | sends the browser to the provider; `next` is a path to come back to |
//! | GET | `/auth/oidc/{provider}/callback` | where the provider sends it back: begins a session |
//! | POST | `/auth/oidc/{provider}/backchannel` | the provider's word that somebody logged out: ends their sessions |

mod backchannel;
mod callback;
mod login;

pub(super) use login::wanted;

use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode};
use sealyard_app::{AppError, Asked};

use super::page::page;
use super::request_id;
use crate::http::Takes::Nobody;
use crate::http::routes::{Routes, get, post};
use crate::http::{ApiError, peer};

pub(super) fn routes() -> Routes {
    Routes::new()
        .route("/auth/oidc/{provider}/login", get(Nobody, login::handler))
        .route("/auth/oidc/{provider}/callback", get(Nobody, callback::handler))
        .route("/auth/oidc/{provider}/backchannel", post(Nobody, backchannel::handler))
}

pub(super) fn asked(request: &Request) -> Asked {
    Asked { source: peer(request), request_id: request_id(request) }
}

/// A page that goes on by itself. The session's cookie is for requests that come from pages of ours (`SameSite=Strict`): a
/// redirect of a request that the provider's page began would go without it.
pub(crate) fn go_on(title: &str, to: &str) -> Response {
    let link = "<p><a href=\"{token}\">Go on</a></p>";
    let mut response = page(StatusCode::OK, title, link, "", to);
    if let Ok(value) = HeaderValue::try_from(format!("0; url={to}")) {
        response.headers_mut().insert("refresh", value);
    }
    response
}

/// A page that says why nobody is logged in. Which rule said no is the operator's to read in the ledger, and stands here for
/// them to be told of.
pub(super) fn failed(error: AppError) -> Response {
    let again = "<p><a href=\"/login\">Back to the log-in page</a></p>";
    let (status, message) = match &error {
        AppError::Refused { rule, reason } => {
            (StatusCode::FORBIDDEN, format!("You could not be logged in: {reason} ({rule})."))
        }
        AppError::Unauthenticated => (StatusCode::FORBIDDEN, "You could not be logged in.".to_owned()),
        AppError::Unavailable(_) => {
            tracing::warn!(%error, "a log-in failed");
            (StatusCode::SERVICE_UNAVAILABLE, "The identity provider can't be used now. Try again later.".to_owned())
        }
        _ => return ApiError::from(error).into_response(),
    };
    page(status, "Log in", again, &message, "")
}
