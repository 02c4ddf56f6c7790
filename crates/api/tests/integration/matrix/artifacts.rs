//! Files, by the proxy, by the old listing and by the pages.

use sealyard_api::Takes::{Edit, Read};

use super::Row;

pub(super) const ROUTES: &[Row] = &[
    ("POST", "mlflow/upload-artifact?run_uuid={r}&path=y", "content", Edit),
    ("GET", "root:get-artifact?run_id={r}&path=x", "", Read),
    ("GET", "root:model-versions/get-artifact?name={n}&version=1&path=MLmodel", "", Read),
    ("GET", "root:/model-versions/get-artifact?name={n}&version=1&path=MLmodel", "", Read),
    ("GET", "mlflow/artifacts/list?run_id={r}", "", Read),
    ("GET", "mlflow-artifacts/artifacts?path={e}%2F{r}%2Fartifacts", "", Read),
    ("GET", "mlflow-artifacts/artifacts/{e}/{r}/artifacts/x", "", Read),
    ("PUT", "mlflow-artifacts/artifacts/{e}/{r}/artifacts/x", "content", Edit),
    ("DELETE", "mlflow-artifacts/artifacts/{e}/{r}/artifacts/x", "", Edit),
    ("POST", "mlflow-artifacts/mpu/create/{e}/{r}/artifacts", r#"{"path":"big","num_parts":2}"#, Edit),
    ("POST", "mlflow-artifacts/mpu/complete/{e}/{r}/artifacts", r#"{"path":"big","upload_id":"x","parts":[]}"#, Edit),
    ("POST", "mlflow-artifacts/mpu/abort/{e}/{r}/artifacts", r#"{"path":"big","upload_id":"x"}"#, Edit),
    ("GET", "mlflow-artifacts/artifacts/{e}/models/{m}/artifacts/MLmodel", "", Read),
    ("PUT", "mlflow-artifacts/artifacts/{e}/models/{m}/artifacts/x", "content", Edit),
    ("DELETE", "mlflow-artifacts/artifacts/{e}/models/{m}/artifacts/x", "", Edit),
    ("GET", "mlflow-artifacts/artifacts/{e}/traces/{t}/artifacts/traces.json", "", Read),
    ("PUT", "mlflow-artifacts/artifacts/{e}/traces/{t}/artifacts/traces.json", "{}", Edit),
];
