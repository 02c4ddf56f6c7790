//! Issues of experiments.

use sealyard_api::Takes::{Edit, Read, Somebody};

use super::Row;

pub(super) const ROUTES: &[Row] = &[
    ("POST", "3.0:mlflow/issues", r#"{"experiment_id":"{e}","name":"n","description":"d"}"#, Edit),
    ("POST", "3.0:mlflow/issues/search", r#"{"experiment_id":""}"#, Somebody),
    ("GET", "3.0:mlflow/issues/{i}", "", Read),
    ("PATCH", "3.0:mlflow/issues/{i}", r#"{"status":"resolved"}"#, Edit),
];
