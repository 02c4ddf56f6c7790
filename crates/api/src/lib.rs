//! The HTTP surface: MLflow's protocol, Sealyard's own, and the model server's.
//!
//! One endpoint is one file: `mlflow/<noun>/<verb>.rs` or `native/<noun>/<verb>.rs` holds its request, response, handler
//! and docs; the noun's `mod.rs` has its routes. A handler does three things: it reads the request, obtains an
//! [`Authorized`](sealyard_identity::Authorized) for the resource that the request names, and calls one function of
//! [`App`] with it.
//!
//! What holds for every route is in [`http`]: authentication, `Host` and `Origin`, request ids, the headers of answers,
//! bounds of bodies, and how errors look.
#![forbid(unsafe_code)]

#[cfg(feature = "fuzzing")]
pub mod fuzzing;
pub mod http;
pub mod inference;
pub mod metrics;
mod mlflow;
mod native;
mod scim;
mod ui;

use std::sync::Arc;

use axum::Router;
use sealyard_app::App;

pub use crate::http::{ApiError, Endpoint, ErrorCode, RequestLimits, RouterConfig, ShownCertificate, Surface, Takes};
pub use crate::ui::{Pages, PagesError};

/// All routes of the server.
pub fn router(app: Arc<App>, config: RouterConfig) -> Router {
    let pages = if config.pages().is_some() { ui::routes() } else { http::Routes::new() };
    http::protect(routes().merge(pages), app, config)
}

/// Every route of [`router`] with pages, and what it takes, from the very list that the router is built from.
#[must_use]
pub fn endpoints() -> Vec<Endpoint> {
    http::with_open(routes().merge(ui::routes())).endpoints()
}

fn routes() -> http::Routes {
    mlflow::routes().merge(native::routes()).merge(scim::routes())
}
