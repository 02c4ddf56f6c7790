//! Judges of traces.

use sealyard_api::Takes::{Edit, Manage, Read, Somebody};

use super::Row;

pub(super) const ROUTES: &[Row] = &[
    ("POST", "3.0:mlflow/scorers/register", r#"{"experiment_id":"{e}","name":"judge","serialized_scorer":"{}"}"#, Edit),
    ("GET", "3.0:mlflow/scorers/list?experiment_id={e}", "", Read),
    ("GET", "3.0:mlflow/scorers/versions?experiment_id={e}&name=judge", "", Read),
    ("GET", "3.0:mlflow/scorers/get?experiment_id={e}&name=judge", "", Read),
    ("DELETE", "3.0:mlflow/scorers/delete", r#"{"experiment_id":"{e}","name":"judge"}"#, Manage),
    ("PUT", "3.0:mlflow/scorers/online-config", r#"{"experiment_id":"{e}","name":"judge","sample_rate":0}"#, Edit),
    ("GET", "3.0:mlflow/scorers/online-configs?scorer_ids=x", "", Somebody),
];
