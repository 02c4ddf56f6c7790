//! Webhooks.

use sealyard_api::Takes::Administrator;

use super::Row;

pub(super) const ROUTES: &[Row] = &[
    ("GET", "mlflow/webhooks", "", Administrator),
    ("POST", "mlflow/webhooks", r#"{"name":"w","url":"https://hooks.example.org/"}"#, Administrator),
    ("GET", "mlflow/webhooks/w", "", Administrator),
    ("PATCH", "mlflow/webhooks/w", "{}", Administrator),
    ("DELETE", "mlflow/webhooks/w", "", Administrator),
    ("POST", "mlflow/webhooks/w/test", "{}", Administrator),
];
