//! Runs, their metrics.

use sealyard_api::Takes::{Edit, Manage, Read};

use super::Row;

pub(super) const ROUTES: &[Row] = &[
    ("POST", "mlflow/runs/create", r#"{"experiment_id":"{e}"}"#, Edit),
    ("GET", "mlflow/runs/get?run_id={r}", "", Read),
    ("POST", "mlflow/runs/update", r#"{"run_id":"{r}","status":"FINISHED"}"#, Edit),
    ("POST", "mlflow/runs/delete", r#"{"run_id":"{r}"}"#, Manage),
    ("POST", "mlflow/runs/restore", r#"{"run_id":"{r}"}"#, Manage),
    ("POST", "mlflow/runs/search", r#"{"experiment_ids":["{e}"]}"#, Read),
    ("POST", "mlflow/runs/log-metric", r#"{"run_id":"{r}","key":"k","value":1,"timestamp":1}"#, Edit),
    ("POST", "mlflow/runs/log-parameter", r#"{"run_id":"{r}","key":"k","value":"1"}"#, Edit),
    ("POST", "mlflow/runs/set-tag", r#"{"run_id":"{r}","key":"k","value":"1"}"#, Edit),
    ("POST", "mlflow/runs/delete-tag", r#"{"run_id":"{r}","key":"k"}"#, Edit),
    ("POST", "mlflow/runs/log-batch", r#"{"run_id":"{r}"}"#, Edit),
    ("POST", "mlflow/runs/log-inputs", r#"{"run_id":"{r}"}"#, Edit),
    ("POST", "mlflow/runs/outputs", r#"{"run_id":"{r}"}"#, Edit),
    ("POST", "mlflow/runs/log-model", r#"{"run_id":"{r}","model_json":"{}"}"#, Edit),
    ("GET", "mlflow/metrics/get-history?run_id={r}&metric_key=k", "", Read),
    ("GET", "mlflow/metrics/get-history-bulk?run_id={r}&metric_key=k", "", Read),
    ("GET", "mlflow/metrics/get-history-bulk-interval?run_ids={r}&metric_key=k", "", Read),
    (
        "POST",
        "mlflow/runs/create-promptlab-run",
        r#"{"experiment_id":"{e}","prompt_template":"t","prompt_parameters":[{"key":"k","value":"v"}],"model_route":"r","model_input":"i","mlflow_version":"3"}"#,
        Edit,
    ),
];
