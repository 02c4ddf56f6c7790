//! Pages for browsers: a log-in page of our own, and MLflow's own web UI from a folder on disk, behind that log in.
//!
//! | method | path | |
//! |---|---|---|
//! | GET | `/` | the UI's `index.html`; who is not logged in is sent to `/login` |
//! | GET | `/static-files/{path}` | the UI's files |
//! | GET, POST | `/login` | the log-in page |
//! | GET, POST | `/logout` | ends the session |
//! | GET, POST | `/account…` | [one's own account](account) |
//! | GET, POST | `/auth/oidc/{provider}/…` | [log-ins at providers](oidc) |
//! | GET, POST | `/auth/saml/{provider}/…` | [log-ins at SAML providers](saml) |
//! | GET | `/ledger` | [the page of the ledger](ledger), for who may read that |
//! | GET | `/ledger/style.css`, `/ledger/page.js`, `/ledger/proof.js` | what it is made of |
//! | GET | `/login/style.css`, `/login/page.js` | what the log-in page is made of |
//!
//! They are there only when pages were configured.

mod account;
mod files;
mod form;
mod index;
mod ledger;
mod login;
mod logout;
mod oidc;
mod page;
mod saml;
mod static_file;

use axum::extract::Request;
use axum::response::Response;
use http::HeaderValue;

pub use files::{Pages, PagesError};

use crate::http::Takes::{Nobody, Somebody};
use crate::http::routes::{Routes, get};
use crate::http::{PagePolicy, RequestId};

/// What MLflow's UI needs. It makes `<style>` elements and `style` attributes as it runs, which is why inline styles are
/// allowed, and its charts (plotly) compile functions from text when they are loaded, without which no page of a run is
/// shown: hence `unsafe-eval`. Inline scripts and other servers are not allowed, so text that gets into a page is still no
/// script. Workers and pictures it makes itself are `blob:` and `data:`.
const UI_POLICY: &str = "default-src 'none'; script-src 'self' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; \
    img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; worker-src 'self' blob:; \
    media-src 'self' blob:; frame-src 'self' blob:; manifest-src 'self'; base-uri 'none'; form-action 'none'; \
    frame-ancestors 'none'";

pub(crate) fn routes() -> Routes {
    Routes::new()
        // Who is nobody is sent on to the log-in page.
        .route("/", get(Nobody, index::handler))
        .route("/static-files/{*path}", get(Somebody, static_file::handler))
        .route("/login", get(Nobody, login::show).post(Nobody, login::handler))
        .route("/login/style.css", get(Nobody, page::style))
        .route("/login/page.js", get(Nobody, page::script))
        .route("/logout", get(Nobody, logout::show).post(Nobody, logout::handler))
        .merge(account::routes())
        .merge(ledger::routes())
        .merge(oidc::routes())
        .merge(saml::routes())
}

fn request_id(request: &Request) -> Option<String> {
    request.extensions().get::<RequestId>().map(|id| id.as_str().to_owned())
}

/// An answer that is a page, with what the page may do.
fn with_policy(mut response: Response, policy: &'static str) -> Response {
    response.extensions_mut().insert(PagePolicy(policy));
    response
}

fn with_cookies(mut response: Response, cookies: impl IntoIterator<Item = Option<HeaderValue>>) -> Response {
    for cookie in cookies.into_iter().flatten() {
        response.headers_mut().append(http::header::SET_COOKIE, cookie);
    }
    response
}
