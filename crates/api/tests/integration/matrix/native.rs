//! Sealyard's own interface.

use sealyard_api::Takes::{Administrator, Edit, Manage, Read, Somebody};

use super::Row;

pub(super) const ROUTES: &[Row] = &[
    ("POST", "native:artifacts/collect", r#"{"dry_run":true}"#, Administrator),
    ("GET", "native:webhooks/w/deliveries", "", Administrator),
    ("POST", "native:runs/explain", r#"{"experiment_ids":["{e}"]}"#, Administrator),
    ("GET", "native:whoami", "", Somebody),
    ("GET", "native:doctor", "", Administrator),
    ("GET", "native:logged-models/{m}/manifest", "", Read),
    ("GET", "native:models/{n}/versions/1/manifest", "", Read),
    ("GET", "native:models/{n}/versions/1/evidence", "", Read),
    ("POST", "native:models/{n}/versions/1/evidence", "{}", Edit),
    ("GET", "native:models/{n}/versions/1/files/MLmodel", "", Read),
    ("PUT", "native:models/{n}/aliases/a", r#"{"version":1}"#, Edit),
    ("POST", "native:publish", r#"{"name":"{n}","version":1}"#, Manage),
    ("POST", "native:deployments", r#"{"name":"{n}","version":1}"#, Manage),
    ("POST", "native:decisions", r#"{"name":"{n}","version":1,"stage":"publish"}"#, Read),
    ("GET", "native:ledger/checkpoint", "", Administrator),
    ("GET", "native:ledger/entries", "", Administrator),
    ("GET", "native:tokens", "", Somebody),
    ("POST", "native:tokens", r#"{"scopes":["read"]}"#, Somebody),
    ("DELETE", "native:tokens/t", "", Somebody),
    ("GET", "native:access/explanation?action=read&resource=experiment:{e}", "", Somebody),
    ("GET", "native:users", "", Administrator),
    ("GET", "native:users/admin", "", Administrator),
    ("PATCH", "native:users/nobody", r#"{"admin":true}"#, Administrator),
    ("DELETE", "native:users/nobody", "", Administrator),
    ("GET", "native:grants", "", Administrator),
    ("GET", "native:groups", "", Administrator),
    ("POST", "native:groups", r#"{"name":"g-{n}"}"#, Administrator),
    ("GET", "native:groups/none", "", Administrator),
    ("DELETE", "native:groups/none", "", Administrator),
    ("PUT", "native:groups/none/members/admin", "", Administrator),
    ("DELETE", "native:groups/none/members/admin", "", Administrator),
    ("PUT", "native:groups/none/roles/1", "", Administrator),
    ("DELETE", "native:groups/none/roles/1", "", Administrator),
    ("POST", "native:users", r#"{"name":"new","password":"correct horse battery"}"#, Administrator),
    ("POST", "native:grants", r#"{"user":"admin","resource":"ledger","right":"READ"}"#, Administrator),
    ("DELETE", "native:grants", r#"{"user":"admin","resource":"ledger","right":"READ"}"#, Administrator),
];
