//! `GET /auth/saml/{provider}/metadata`: this server's metadata, for the provider.

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::header;

use crate::http::{ApiError, ApiState};

pub(super) async fn handler(State(state): State<ApiState>, Path(provider): Path<String>) -> Response {
    match state.server().saml_metadata(&provider) {
        Ok(metadata) => ([(header::CONTENT_TYPE, "application/samlmetadata+xml")], metadata).into_response(),
        Err(error) => ApiError::from(error).into_response(),
    }
}
