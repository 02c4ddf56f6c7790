//! Workspaces, the server itself, and what the pages ask.

use sealyard_api::Takes::{Administrator, Somebody};

use super::Row;

pub(super) const ROUTES: &[Row] = &[
    ("GET", "3.0:mlflow/workspaces", "", Somebody),
    ("POST", "3.0:mlflow/workspaces", r#"{"name":"w-{n}"}"#, Administrator),
    ("GET", "3.0:mlflow/workspaces/team-b", "", Administrator),
    ("PATCH", "3.0:mlflow/workspaces/team-b", r#"{"description":"{n}"}"#, Administrator),
    ("DELETE", "3.0:mlflow/workspaces/team-c", "", Administrator),
    ("GET", "3.0:mlflow/server-info", "", Somebody),
    ("GET", "3.0:mlflow/ui-telemetry", "", Somebody),
    ("POST", "3.0:mlflow/ui-telemetry", r#"{"records":[]}"#, Somebody),
    ("POST", "root:graphql", r#"{"query":"{ test(inputString: \"a\") { output } }"}"#, Somebody),
    ("POST", "root:account/command-line", "", Somebody),
    ("POST", "root:account/second-factor", "", Somebody),
    ("POST", "root:account/second-factor/confirm", "", Somebody),
    ("POST", "root:account/second-factor/disable", "", Somebody),
    ("POST", "root:account/sessions/end", "", Somebody),
    ("POST", "root:account/tokens/create", "", Somebody),
    ("POST", "root:account/tokens/revoke", "", Somebody),
    ("GET", "root:static-files/static/js/main.js", "", Somebody),
];
