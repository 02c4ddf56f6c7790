use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::{HeaderName, HeaderValue};

use super::ApiState;

const HEADER: HeaderName = HeaderName::from_static("x-request-id");

/// The id of a request: in its answer, in the log and in the ledger. Always ours; a client can't choose it.
#[derive(Debug, Clone)]
pub struct RequestId(String);

impl RequestId {
    /// As text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

pub(super) async fn make(State(state): State<ApiState>, mut request: Request, next: Next) -> Response {
    let id = state.server().rng().hex_id();
    request.extensions_mut().insert(RequestId(id.clone()));
    let mut response = next.run(request).await;
    if let Some(unreported) = response.extensions_mut().remove::<super::error::Unreported>() {
        tracing::error!(request_id = %id, error = %unreported.0, "a request failed");
    }
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(HEADER, value);
    }
    response
}
