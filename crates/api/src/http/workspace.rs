use axum::extract::{FromRequestParts, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use sealyard_app::{AppError, Caller};

use super::state::Scoped;
use super::{ApiError, ApiState, ErrorCode};

/// The header by which MLflow's clients name a workspace.
const HEADER: &str = "x-mlflow-workspace";

/// Gives a request the application in the workspace that it names, in the default one if it names none. Runs behind the
/// authentication: whether there is a workspace is not for everybody to know.
///
/// A server without workspaces refuses a request that names one, as a client that believed itself in a workspace of its own
/// would read and write among everybody's things. `server-info` tells clients so and stays within reach.
pub(super) async fn enter(State(state): State<ApiState>, mut request: Request, next: Next) -> Response {
    let info = request.uri().path().trim_end_matches('/').ends_with("/mlflow/server-info");
    let names = if info { Vec::new() } else { names(&request) };
    let caller = if names.is_empty() { None } else { request.extensions().get::<Caller>().cloned() };
    match choose(&state, caller, names).await {
        Ok(scoped) => {
            request.extensions_mut().insert(scoped);
            next.run(request).await
        }
        Err(error) => error.into_response(),
    }
}

/// The names that a request's headers have for its workspace.
fn names(request: &Request) -> Vec<Vec<u8>> {
    let values = request.headers().get_all(HEADER).iter().map(|value| value.as_bytes().trim_ascii().to_vec());
    values.filter(|name| !name.is_empty()).collect()
}

async fn choose(state: &ApiState, caller: Option<Caller>, names: Vec<Vec<u8>>) -> Result<Scoped, ApiError> {
    if names.is_empty() {
        return Ok(state.in_default());
    }
    if !state.server().workspaces_enabled() {
        return Err(disabled());
    }
    let name = match names.as_slice() {
        [name] => std::str::from_utf8(name).ok(),
        _ => None,
    };
    let name = name.ok_or_else(|| ApiError::invalid("the request names no workspace, or more than one"))?;
    let caller = caller.ok_or(AppError::Unauthenticated)?;
    let app = state.server().in_workspace(&caller, name).await?;
    Ok(if app.workspace().is_default() { state.in_default() } else { state.within(app) })
}

/// What a server without workspaces says of them.
pub(crate) fn disabled() -> ApiError {
    let message = "Workspace APIs are not available: workspaces are not enabled on this server";
    ApiError::new(ErrorCode::FeatureDisabled, message)
}

/// The application in the workspace of the request: the only way for a handler to get it.
#[derive(Debug)]
pub(crate) struct InWorkspace(pub(crate) Scoped);

impl FromRequestParts<ApiState> for InWorkspace {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &ApiState) -> Result<Self, Self::Rejection> {
        // Absent only if a route was mounted outside of the layer: then nobody gets in.
        parts.extensions.get::<Scoped>().cloned().map(Self).ok_or_else(|| AppError::Unauthenticated.into())
    }
}
