//! Users, roles, and who may do what with an experiment or a registered model.

use sealyard_api::Takes::{Administrator, Manage, Somebody};

use super::Row;

pub(super) const ROUTES: &[Row] = &[
    ("POST", "mlflow/users/create", r#"{"username":"u-{n}","password":"correct horse battery"}"#, Administrator),
    ("GET", "mlflow/users/get?username=admin", "", Administrator),
    ("GET", "mlflow/users/current", "", Somebody),
    ("GET", "mlflow/users/list", "", Administrator),
    (
        "PATCH",
        "mlflow/users/update-password",
        r#"{"username":"admin","password":"other horse battery"}"#,
        Administrator,
    ),
    ("PATCH", "mlflow/users/update-admin", r#"{"username":"nobody","is_admin":true}"#, Administrator),
    ("DELETE", "mlflow/users/delete", r#"{"username":"nobody"}"#, Administrator),
    (
        "POST",
        "mlflow/experiments/permissions/create",
        r#"{"experiment_id":"{e}","username":"none","permission":"READ"}"#,
        Manage,
    ),
    ("GET", "mlflow/experiments/permissions/get?experiment_id={e}&username=none", "", Manage),
    (
        "PATCH",
        "mlflow/experiments/permissions/update",
        r#"{"experiment_id":"{e}","username":"none","permission":"READ"}"#,
        Manage,
    ),
    ("DELETE", "mlflow/experiments/permissions/delete", r#"{"experiment_id":"{e}","username":"none"}"#, Manage),
    (
        "POST",
        "mlflow/registered-models/permissions/create",
        r#"{"name":"{n}","username":"none","permission":"READ"}"#,
        Manage,
    ),
    ("GET", "mlflow/registered-models/permissions/get?name={n}&username=none", "", Manage),
    (
        "PATCH",
        "mlflow/registered-models/permissions/update",
        r#"{"name":"{n}","username":"none","permission":"READ"}"#,
        Manage,
    ),
    ("DELETE", "mlflow/registered-models/permissions/delete", r#"{"name":"{n}","username":"none"}"#, Manage),
    ("POST", "3.0:mlflow/roles/create", r#"{"workspace":"default","name":"r-{n}"}"#, Administrator),
    ("GET", "3.0:mlflow/roles/get?role_id=1", "", Administrator),
    ("GET", "3.0:mlflow/roles/list?workspace=default", "", Administrator),
    ("PATCH", "3.0:mlflow/roles/update", r#"{"role_id":1,"name":"x"}"#, Administrator),
    ("DELETE", "3.0:mlflow/roles/delete", r#"{"role_id":99}"#, Administrator),
    (
        "POST",
        "3.0:mlflow/roles/permissions/add",
        r#"{"role_id":99,"resource_type":"experiment","resource_pattern":"*","permission":"READ"}"#,
        Administrator,
    ),
    ("GET", "3.0:mlflow/roles/permissions/list?role_id=1", "", Administrator),
    ("PATCH", "3.0:mlflow/roles/permissions/update", r#"{"role_permission_id":99,"permission":"READ"}"#, Administrator),
    ("DELETE", "3.0:mlflow/roles/permissions/remove", r#"{"role_permission_id":99}"#, Administrator),
    ("POST", "3.0:mlflow/roles/assign", r#"{"role_id":99,"username":"none"}"#, Administrator),
    ("DELETE", "3.0:mlflow/roles/unassign", r#"{"role_id":99,"username":"none"}"#, Administrator),
    ("GET", "3.0:mlflow/roles/users/list?role_id=1", "", Administrator),
    ("GET", "3.0:mlflow/users/roles/list?username=admin", "", Administrator),
];
