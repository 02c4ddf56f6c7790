//! `POST /invocations`.

use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::header::CONTENT_TYPE;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use sealyard_serving::protocol::mlflow::{self, InvokeError};

use super::{ServingState, answer};
use crate::http::{ApiError, ErrorCode};

/// From so many bytes on, a request is worked on where it holds nobody else up.
const LARGE: usize = 16 * 1024;

pub(super) async fn handler(State(state): State<ServingState>, request: Request) -> Response {
    let Ok(_place) = state.places().try_acquire_owned() else {
        return ApiError::new(ErrorCode::TemporarilyUnavailable, "too many requests at once; try again")
            .into_response();
    };
    let (parts, body) = request.into_parts();
    let limits = state.limits();
    let body = match Limited::new(body, limits.body).collect().await {
        Ok(body) => body.to_bytes(),
        Err(error) if error.is::<LengthLimitError>() => {
            return answer(mlflow::refuse(&InvokeError::Bound { what: "bytes", limit: limits.body }));
        }
        Err(_) => return answer(mlflow::refuse(&InvokeError::Malformed("the request's body broke off"))),
    };
    let content_type = parts.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let model = state.model();
    if body.len() < LARGE {
        return answer(mlflow::invoke(&model, content_type.as_deref(), &body, &limits));
    }
    let work = move || mlflow::invoke(&model, content_type.as_deref(), &body, &limits);
    match tokio::task::spawn_blocking(work).await {
        Ok(response) => answer(response),
        Err(error) => ApiError::internal(error.to_string()).into_response(),
    }
}
