use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::Response;

use super::ApiState;

/// Notes that the store of artifacts failed, in the extensions of an answer.
#[derive(Debug, Clone, Copy)]
pub(super) struct VaultFailed;

/// Counts every answer by its route's template, which no client can invent.
pub(super) async fn count(State(state): State<ApiState>, request: Request, next: Next) -> Response {
    let Some(metrics) = state.config().metrics().cloned() else { return next.run(request).await };
    let began = Instant::now();
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let mut response = next.run(request).await;
    let route = route.as_ref().map_or("none", MatchedPath::as_str);
    metrics.answered(method.as_str(), route, response.status().as_u16(), began.elapsed());
    if response.extensions_mut().remove::<VaultFailed>().is_some() {
        metrics.event("vault_errors", "request");
    }
    response
}
