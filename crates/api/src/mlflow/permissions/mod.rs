//! `experiments/permissions/…` and `registered-models/permissions/…`: rights of single users on single things, given and
//! taken by whoever may MANAGE the thing.

mod create;
mod delete;
mod get;
mod update;
mod view;

use sealyard_app::{App, AppError, Caller, Shared};
use serde::Deserialize;

use super::users;
use crate::http::Takes::Manage;
use crate::http::routes::{Routes, delete, get, patch, post};
use crate::http::{ApiError, ErrorCode, required};

pub(super) use view::{ExperimentPermissionView, ModelPermissionView};

pub(super) fn routes() -> Routes {
    Routes::new()
        .route("/experiments/permissions/create", post(Manage, create::experiment))
        .route("/experiments/permissions/get", get(Manage, self::get::experiment))
        .route("/experiments/permissions/update", patch(Manage, update::experiment))
        .route("/experiments/permissions/delete", delete(Manage, self::delete::experiment))
        .route("/registered-models/permissions/create", post(Manage, create::model))
        .route("/registered-models/permissions/get", get(Manage, self::get::model))
        .route("/registered-models/permissions/update", patch(Manage, update::model))
        .route("/registered-models/permissions/delete", delete(Manage, self::delete::model))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ExperimentRequest {
    experiment_id: String,
    username: String,
    permission: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ModelRequest {
    name: String,
    username: String,
    permission: String,
}

impl ExperimentRequest {
    async fn authorize(&self, app: &App, caller: &Caller) -> Result<Shared, ApiError> {
        let may = app.authorize_sharing_experiment(caller, required("experiment_id", &self.experiment_id)?).await?;
        required("username", &self.username)?;
        Ok(may)
    }

    /// In the words that clients match on.
    fn explain(&self, error: AppError) -> ApiError {
        let what = format!("with experiment_id={} and username={}", self.experiment_id, self.username);
        explain("Experiment permission", &what, error)
    }
}

impl ModelRequest {
    async fn authorize(&self, app: &App, caller: &Caller) -> Result<Shared, ApiError> {
        let may = app.authorize_sharing_model(caller, required("name", &self.name)?).await?;
        required("username", &self.username)?;
        Ok(may)
    }

    fn explain(&self, error: AppError) -> ApiError {
        let what = format!("with workspace=default, name={} and username={}", self.name, self.username);
        explain("Registered model permission", &what, error)
    }
}

fn explain(kind: &str, what: &str, error: AppError) -> ApiError {
    match error {
        AppError::NotFound { kind: "permission", .. } => {
            ApiError::new(ErrorCode::ResourceDoesNotExist, format!("{kind} {what} not found"))
        }
        AppError::AlreadyExists { .. } => {
            ApiError::new(ErrorCode::ResourceAlreadyExists, format!("{kind} {what} already exists."))
        }
        other => users::missing(other),
    }
}
