//! Evaluation data sets.

use sealyard_api::Takes::{Edit, Manage, Read, Somebody};

use super::Row;

pub(super) const ROUTES: &[Row] = &[
    ("POST", "3.0:mlflow/datasets/create", r#"{"name":"x","experiment_ids":["{e}"]}"#, Edit),
    ("GET", "3.0:mlflow/datasets/search", "", Somebody),
    ("POST", "3.0:mlflow/datasets/search", "{}", Somebody),
    ("GET", "3.0:mlflow/datasets/{d}", "", Read),
    ("DELETE", "3.0:mlflow/datasets/{d}", "", Manage),
    ("PATCH", "3.0:mlflow/datasets/{d}/tags", r#"{"tags":"{}"}"#, Edit),
    ("DELETE", "3.0:mlflow/datasets/{d}/tags/k", "", Edit),
    ("GET", "3.0:mlflow/datasets/{d}/records", "", Read),
    ("POST", "3.0:mlflow/datasets/{d}/records", r#"{"records":"[]"}"#, Edit),
    ("DELETE", "3.0:mlflow/datasets/{d}/records", r#"{"dataset_record_ids":["x"]}"#, Edit),
    ("GET", "3.0:mlflow/datasets/{d}/experiment-ids", "", Read),
    ("POST", "3.0:mlflow/datasets/{d}/add-experiments", r#"{"experiment_ids":["{e}"]}"#, Edit),
    ("POST", "3.0:mlflow/datasets/{d}/remove-experiments", r#"{"experiment_ids":["{e}"]}"#, Manage),
];
