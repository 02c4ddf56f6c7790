mod create;
mod delete;
mod get;
mod list;
mod test;
mod update;
mod view;

use sealyard_app::AppError;

use crate::http::Takes::Administrator;
use crate::http::routes::{Routes, get, post};
use crate::http::{ApiError, ErrorCode};

pub(super) fn routes() -> Routes {
    Routes::new()
        .route("/webhooks", get(Administrator, list::handler).post(Administrator, create::handler))
        .route(
            "/webhooks/{webhook_id}",
            get(Administrator, self::get::handler)
                .patch(Administrator, update::handler)
                .delete(Administrator, delete::handler),
        )
        .route("/webhooks/{webhook_id}/test", post(Administrator, test::handler))
}

/// In the words that clients match on.
fn missing(error: AppError) -> ApiError {
    match error {
        AppError::NotFound { id, .. } => {
            ApiError::new(ErrorCode::ResourceDoesNotExist, format!("Webhook with ID {id} not found."))
        }
        other => other.into(),
    }
}
