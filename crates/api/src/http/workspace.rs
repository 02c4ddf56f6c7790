use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::{ApiError, ErrorCode};

/// The header by which MLflow's clients name a workspace.
const HEADER: &str = "x-mlflow-workspace";

/// Refuses a request that names a workspace. There is only one here, and one that believed itself in a workspace of its own
/// would read and write among everybody's things. `server-info` tells clients so and stays within reach.
pub(super) async fn refuse(request: Request, next: Next) -> Response {
    let named = request.headers().get_all(HEADER).iter().any(|value| !value.as_bytes().trim_ascii().is_empty());
    if named && !request.uri().path().trim_end_matches('/').ends_with("/mlflow/server-info") {
        let message = "Workspace APIs are not available: workspaces are not enabled on this server";
        return ApiError::new(ErrorCode::FeatureDisabled, message).into_response();
    }
    next.run(request).await
}
