//! Logged models.

use sealyard_api::Takes::{Edit, Manage, Read};

use super::Row;

pub(super) const ROUTES: &[Row] = &[
    ("GET", "mlflow/logged-models/{m}/artifacts/files?artifact_file_path=MLmodel", "", Read),
    ("POST", "mlflow/logged-models", r#"{"experiment_id":"{e}"}"#, Edit),
    ("POST", "mlflow/logged-models/search", r#"{"experiment_ids":["{e}"]}"#, Read),
    ("GET", "mlflow/logged-models/{m}", "", Read),
    ("PATCH", "mlflow/logged-models/{m}", r#"{"status":"LOGGED_MODEL_READY"}"#, Edit),
    ("DELETE", "mlflow/logged-models/{m}", "", Manage),
    ("PATCH", "mlflow/logged-models/{m}/tags", r#"{"tags":[]}"#, Edit),
    ("DELETE", "mlflow/logged-models/{m}/tags/k", "", Edit),
    ("POST", "mlflow/logged-models/{m}/params", r#"{"params":[]}"#, Edit),
    ("GET", "mlflow/logged-models/{m}/artifacts/directories", "", Read),
];
