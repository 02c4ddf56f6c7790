//! `users/…`: MLflow's accounts on top of ours.

mod create;
mod current;
mod delete;
mod get;
mod list;
mod update_admin;
mod update_password;
mod view;

use sealyard_app::AppError;

use crate::http::Takes::{Administrator, Somebody};
use crate::http::routes::{Routes, delete, get, patch, post};
use crate::http::{ApiError, ErrorCode};

pub(super) fn routes() -> Routes {
    Routes::new()
        .route("/users/create", post(Administrator, create::handler))
        // Or the user itself.
        .route("/users/get", get(Administrator, self::get::handler))
        .route("/users/current", get(Somebody, current::handler))
        .route("/users/list", get(Administrator, list::handler))
        // Or the user itself, with its present password.
        .route("/users/update-password", patch(Administrator, update_password::handler))
        .route("/users/update-admin", patch(Administrator, update_admin::handler))
        .route("/users/delete", delete(Administrator, self::delete::handler))
}

/// In the words that clients match on.
pub(super) fn missing(error: AppError) -> ApiError {
    match error {
        AppError::NotFound { kind: "user", id } => {
            ApiError::new(ErrorCode::ResourceDoesNotExist, format!("User with username={id} not found"))
        }
        other => other.into(),
    }
}
