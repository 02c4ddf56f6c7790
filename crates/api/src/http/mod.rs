//! What holds for every route.

mod authentication;
mod cookie;
mod counting;
mod error;
mod field;
mod form_token;
mod held;
mod input;
mod limits;
mod lingering;
mod open;
mod origin;
mod request_id;
mod response;
pub(crate) mod routes;
mod secret;
mod secret_fields;
mod state;
mod surface;
mod workspace;

use std::sync::Arc;

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use sealyard_app::App;

use surface::Shown;

pub use authentication::{Identified, ShownCertificate};
pub(crate) use authentication::{page_caller, peer};
pub(crate) use cookie::{Cookie, read as read_cookie};
pub(crate) use error::with_report;
pub use error::{ApiError, ErrorCode, method_not_allowed, not_found};
pub(crate) use field::{Flag, Integer, Number, Texts};
pub(crate) use form_token::FormToken;
pub(crate) use input::{Input, Inputs, LargeInput, Strict, Unread, query_parameters, required};
#[cfg(feature = "fuzzing")]
pub(crate) use input::{fuzz_body, fuzz_query};
pub use limits::RequestLimits;
pub use origin::RouterConfig;
pub(crate) use origin::{check_with_cookie, checked as check_origin};
pub use request_id::RequestId;
pub(crate) use response::{Answer, Empty, OverTls, PagePolicy, Secret, headers, large_answer};
pub(crate) use routes::Routes;
pub use routes::{Endpoint, Takes};
pub(crate) use secret::SecretText;
pub(crate) use secret_fields::SecretFields;
pub use state::ApiState;
pub(crate) use state::Scoped;
pub use surface::Surface;
pub(crate) use workspace::{InWorkspace, disabled as workspaces_disabled};

/// All routes with those that anybody may ask.
pub(crate) fn with_open(routes: Routes) -> Routes {
    routes.merge(open::routes())
}

/// Wraps `routes` in everything that no route may go without. The outermost layer comes last. Only what takes
/// [`Takes::Nobody`] is outside of the authentication; what is no route at all wants credentials too.
pub(crate) fn protect(routes: Routes, app: Arc<App>, config: RouterConfig) -> Router {
    let state = ApiState::new(app, config);
    let routes = with_open(routes);
    let shown = Arc::new(Shown::new(state.config().surface(), routes.list()));
    let (open, protected) = routes.into_parts();
    let open = open.layer(from_fn_with_state(Arc::clone(&shown), surface::hide));
    protected
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(from_fn_with_state(state.clone(), workspace::enter))
        .layer(from_fn_with_state(shown, surface::hide))
        .layer(from_fn_with_state(state.clone(), limits::by_account))
        .layer(from_fn_with_state(state.clone(), authentication::require))
        .merge(open)
        .layer(from_fn_with_state(state.clone(), origin::check))
        .layer(from_fn(lingering::read_on))
        .layer(from_fn_with_state(state.clone(), limits::by_address))
        .layer(from_fn_with_state(state.clone(), counting::count))
        .layer(from_fn_with_state(OverTls(state.config().tls()), response::headers))
        .layer(from_fn_with_state(state.clone(), request_id::make))
        .with_state(state)
}
