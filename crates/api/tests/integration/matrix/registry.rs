//! Registered models and their versions.

use sealyard_api::Takes::{Edit, Manage, Read, Somebody};

use super::Row;

pub(super) const ROUTES: &[Row] = &[
    ("POST", "mlflow/registered-models/create", r#"{"name":"new-{n}"}"#, Edit),
    ("GET", "mlflow/registered-models/get?name={n}", "", Read),
    ("GET", "mlflow/registered-models/search", "", Somebody),
    ("PATCH", "mlflow/registered-models/update", r#"{"name":"{n}","description":"x"}"#, Edit),
    ("POST", "mlflow/registered-models/rename", r#"{"name":"{n}","new_name":"renamed-{n}"}"#, Manage),
    ("DELETE", "mlflow/registered-models/delete", r#"{"name":"{n}"}"#, Manage),
    ("POST", "mlflow/registered-models/set-tag", r#"{"name":"{n}","key":"k","value":"v"}"#, Edit),
    ("DELETE", "mlflow/registered-models/delete-tag", r#"{"name":"{n}","key":"k"}"#, Edit),
    ("GET", "mlflow/registered-models/get-latest-versions?name={n}", "", Read),
    ("POST", "mlflow/registered-models/get-latest-versions", r#"{"name":"{n}"}"#, Read),
    ("GET", "mlflow/registered-models/alias?name={n}&alias=a", "", Read),
    ("POST", "mlflow/registered-models/alias", r#"{"name":"{n}","alias":"a","version":"1"}"#, Edit),
    ("DELETE", "mlflow/registered-models/alias", r#"{"name":"{n}","alias":"a"}"#, Edit),
    ("POST", "mlflow/model-versions/create", r#"{"name":"{n}","source":"models:/{m}"}"#, Edit),
    ("GET", "mlflow/model-versions/get?name={n}&version=1", "", Read),
    ("GET", "mlflow/model-versions/get-download-uri?name={n}&version=1", "", Read),
    ("GET", "mlflow/model-versions/search", "", Somebody),
    ("PATCH", "mlflow/model-versions/update", r#"{"name":"{n}","version":"1","description":"x"}"#, Edit),
    ("DELETE", "mlflow/model-versions/delete", r#"{"name":"{n}","version":"1"}"#, Manage),
    ("POST", "mlflow/model-versions/set-tag", r#"{"name":"{n}","version":"1","key":"k","value":"v"}"#, Edit),
    ("POST", "mlflow/model-versions/transition-stage", r#"{"name":"{n}","version":"1","stage":"Production"}"#, Edit),
    ("DELETE", "mlflow/model-versions/delete-tag", r#"{"name":"{n}","version":"1","key":"k"}"#, Edit),
];
