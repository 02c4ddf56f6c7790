use sealyard_app::PermissionLevel;
use serde::Serialize;

/// What a user has on an experiment.
#[derive(Debug, Serialize)]
pub(in crate::mlflow) struct ExperimentPermissionView {
    experiment_id: String,
    user_id: i64,
    permission: &'static str,
}

impl ExperimentPermissionView {
    pub(in crate::mlflow) const fn new(experiment_id: String, user_id: i64, level: PermissionLevel) -> Self {
        Self { experiment_id, user_id, permission: level.as_str() }
    }
}

/// What a user has on a registered model.
#[derive(Debug, Serialize)]
pub(in crate::mlflow) struct ModelPermissionView {
    workspace: String,
    name: String,
    user_id: i64,
    permission: &'static str,
}

impl ModelPermissionView {
    pub(in crate::mlflow) const fn new(workspace: String, name: String, user_id: i64, level: PermissionLevel) -> Self {
        Self { workspace, name, user_id, permission: level.as_str() }
    }
}
