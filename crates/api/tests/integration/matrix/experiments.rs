//! Experiments.

use sealyard_api::Takes::{Edit, Manage, Read, Somebody};

use super::Row;

pub(super) const ROUTES: &[Row] = &[
    ("GET", "mlflow/experiments/get?experiment_id={e}", "", Read),
    ("GET", "mlflow/experiments/get-by-name?experiment_name={n}", "", Read),
    ("GET", "mlflow/experiments/search", "", Somebody),
    ("POST", "mlflow/experiments/search", "{}", Somebody),
    ("POST", "mlflow/experiments/create", r#"{"name":"new-{n}"}"#, Edit),
    ("POST", "mlflow/experiments/update", r#"{"experiment_id":"{e}","new_name":"other-{n}"}"#, Edit),
    ("POST", "mlflow/experiments/delete", r#"{"experiment_id":"{e}"}"#, Manage),
    ("POST", "mlflow/experiments/restore", r#"{"experiment_id":"{e}"}"#, Manage),
    ("POST", "mlflow/experiments/set-experiment-tag", r#"{"experiment_id":"{e}","key":"k","value":"v"}"#, Edit),
    ("POST", "mlflow/experiments/delete-experiment-tag", r#"{"experiment_id":"{e}","key":"k"}"#, Edit),
    ("POST", "mlflow/experiments/search-datasets", r#"{"experiment_ids":["{e}"]}"#, Read),
];
