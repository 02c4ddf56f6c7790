//! `roles/…` and `users/roles/list` of version 3. Administrators, or whoever may MANAGE the role's workspace.

mod assign;
mod create;
mod delete;
mod get;
mod list;
mod list_of_user;
mod permissions;
mod unassign;
mod update;
mod users;
mod view;

use sealyard_app::AppError;
use serde::Deserialize;

use crate::http::Takes::Administrator;
use crate::http::routes::{Routes, delete, get, patch, post};
use crate::http::{ApiError, ErrorCode, Integer};

pub(super) fn routes() -> Routes {
    Routes::new()
        .route("/roles/create", post(Administrator, create::handler))
        // Or READ on the workspace.
        .route("/roles/get", get(Administrator, self::get::handler))
        .route("/roles/list", get(Administrator, list::handler))
        .route("/roles/update", patch(Administrator, update::handler))
        .route("/roles/delete", delete(Administrator, self::delete::handler))
        .route("/roles/permissions/add", post(Administrator, permissions::add))
        .route("/roles/permissions/list", get(Administrator, permissions::list))
        .route("/roles/permissions/update", patch(Administrator, permissions::update))
        .route("/roles/permissions/remove", delete(Administrator, permissions::remove))
        .route("/roles/assign", post(Administrator, assign::handler))
        .route("/roles/unassign", delete(Administrator, unassign::handler))
        .route("/roles/users/list", get(Administrator, users::handler))
        // Or the user itself.
        .route("/users/roles/list", get(Administrator, list_of_user::handler))
}

/// A request that names a role.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct RoleRequest {
    role_id: Option<Integer>,
}

/// A request that names a role and a user.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct MemberRequest {
    role_id: Option<Integer>,
    username: String,
}

fn id(name: &str, id: Option<Integer>) -> Result<i64, ApiError> {
    id.map(|id| id.0).ok_or_else(|| ApiError::invalid(format!("Missing value for required parameter '{name}'.")))
}

/// In the words that clients match on.
fn explain(error: AppError) -> ApiError {
    match error {
        AppError::NotFound { kind: "role", id } => {
            ApiError::new(ErrorCode::ResourceDoesNotExist, format!("Role with id={id} not found"))
        }
        AppError::NotFound { kind: "role permission", id } => {
            ApiError::new(ErrorCode::ResourceDoesNotExist, format!("Role permission with id={id} not found"))
        }
        AppError::NotFound { kind: "role assignment", id } => {
            ApiError::new(ErrorCode::ResourceDoesNotExist, format!("User role assignment (role_id={id}) not found"))
        }
        AppError::AlreadyExists { kind, id } => {
            ApiError::new(ErrorCode::ResourceAlreadyExists, format!("The {kind} {id} already exists"))
        }
        other => super::users::missing(other),
    }
}
