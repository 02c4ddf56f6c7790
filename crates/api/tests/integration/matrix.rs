//! Every route, with every kind of caller.
//!
//! The router says which routes there are and what each takes; the table has a request for each, and says what it takes
//! once more. A route without a request, a request without a route, and two opinions on a right fail.

use axum::body::Body;
use http::Method;
use sealyard_api::{Endpoint, Takes, endpoints};
use serde_json::{Value, json};

use crate::test_app::{NOBODY, TestApp, User};

use Takes::{Administrator, Edit, Manage, Nobody, Read, Somebody};

/// Method, path, body, and what it takes. `{e}`, `{r}`, `{m}`, `{n}` and `{i}` stand for an experiment, a run, a logged
/// model, a registered model with a version 1 and an issue; `{t}`, `{a}` and `{d}` for a trace, its assessment and a data
/// set; `{s}`, `{f}` and `{g}` for a secret of the gateway, a model definition with it and an endpoint with that.
const ROUTES: &[(&str, &str, &str, Takes)] = &[
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
    ("POST", "mlflow/experiments/search-datasets", r#"{"experiment_ids":["{e}"]}"#, Read),
    (
        "POST",
        "mlflow/runs/create-promptlab-run",
        r#"{"experiment_id":"{e}","prompt_template":"t","prompt_parameters":[{"key":"k","value":"v"}],"model_route":"r","model_input":"i","mlflow_version":"3"}"#,
        Edit,
    ),
    ("POST", "mlflow/upload-artifact?run_uuid={r}&path=y", "content", Edit),
    ("POST", "3.0:mlflow/issues", r#"{"experiment_id":"{e}","name":"n","description":"d"}"#, Edit),
    ("POST", "3.0:mlflow/issues/search", r#"{"experiment_id":""}"#, Somebody),
    ("GET", "3.0:mlflow/issues/{i}", "", Read),
    ("PATCH", "3.0:mlflow/issues/{i}", r#"{"status":"resolved"}"#, Edit),
    ("GET", "root:get-artifact?run_id={r}&path=x", "", Read),
    ("GET", "root:model-versions/get-artifact?name={n}&version=1&path=MLmodel", "", Read),
    ("GET", "root:/model-versions/get-artifact?name={n}&version=1&path=MLmodel", "", Read),
    ("GET", "mlflow/logged-models/{m}/artifacts/files?artifact_file_path=MLmodel", "", Read),
    ("GET", "mlflow/artifacts/list?run_id={r}", "", Read),
    ("POST", "mlflow/logged-models", r#"{"experiment_id":"{e}"}"#, Edit),
    ("POST", "mlflow/logged-models/search", r#"{"experiment_ids":["{e}"]}"#, Read),
    ("GET", "mlflow/logged-models/{m}", "", Read),
    ("PATCH", "mlflow/logged-models/{m}", r#"{"status":"LOGGED_MODEL_READY"}"#, Edit),
    ("DELETE", "mlflow/logged-models/{m}", "", Manage),
    ("PATCH", "mlflow/logged-models/{m}/tags", r#"{"tags":[]}"#, Edit),
    ("DELETE", "mlflow/logged-models/{m}/tags/k", "", Edit),
    ("POST", "mlflow/logged-models/{m}/params", r#"{"params":[]}"#, Edit),
    ("GET", "mlflow/logged-models/{m}/artifacts/directories", "", Read),
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
    ("GET", "mlflow-artifacts/artifacts?path={e}%2F{r}%2Fartifacts", "", Read),
    ("GET", "mlflow-artifacts/artifacts/{e}/{r}/artifacts/x", "", Read),
    ("PUT", "mlflow-artifacts/artifacts/{e}/{r}/artifacts/x", "content", Edit),
    ("DELETE", "mlflow-artifacts/artifacts/{e}/{r}/artifacts/x", "", Edit),
    ("POST", "mlflow-artifacts/mpu/create/{e}/{r}/artifacts", r#"{"path":"big","num_parts":2}"#, Edit),
    ("POST", "mlflow-artifacts/mpu/complete/{e}/{r}/artifacts", r#"{"path":"big","upload_id":"x","parts":[]}"#, Edit),
    ("POST", "mlflow-artifacts/mpu/abort/{e}/{r}/artifacts", r#"{"path":"big","upload_id":"x"}"#, Edit),
    ("POST", "native:artifacts/collect", r#"{"dry_run":true}"#, Administrator),
    ("GET", "mlflow-artifacts/artifacts/{e}/models/{m}/artifacts/MLmodel", "", Read),
    ("PUT", "mlflow-artifacts/artifacts/{e}/models/{m}/artifacts/x", "content", Edit),
    ("DELETE", "mlflow-artifacts/artifacts/{e}/models/{m}/artifacts/x", "", Edit),
    ("GET", "mlflow/webhooks", "", Administrator),
    ("POST", "mlflow/webhooks", r#"{"name":"w","url":"https://hooks.example.org/"}"#, Administrator),
    ("GET", "mlflow/webhooks/w", "", Administrator),
    ("PATCH", "mlflow/webhooks/w", "{}", Administrator),
    ("DELETE", "mlflow/webhooks/w", "", Administrator),
    ("POST", "mlflow/webhooks/w/test", "{}", Administrator),
    ("GET", "native:webhooks/w/deliveries", "", Administrator),
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
    ("POST", "mlflow/traces", r#"{"experiment_id":"{e}","timestamp_ms":1}"#, Edit),
    ("GET", "mlflow/traces?experiment_ids={e}", "", Read),
    ("PATCH", "mlflow/traces/{t}", r#"{"timestamp_ms":2,"status":"OK"}"#, Edit),
    ("GET", "mlflow/traces/{t}/info", "", Read),
    ("PATCH", "mlflow/traces/{t}/tags", r#"{"key":"k","value":"v"}"#, Edit),
    ("DELETE", "mlflow/traces/{t}/tags", r#"{"key":"t"}"#, Edit),
    ("POST", "mlflow/traces/delete-traces", r#"{"experiment_id":"{e}","request_ids":["{t}"]}"#, Manage),
    ("POST", "mlflow/traces/link-to-run", r#"{"run_id":"{r}","trace_ids":["{t}"]}"#, Edit),
    (
        "POST",
        "mlflow/traces/link-prompts",
        r#"{"trace_id":"{t}","prompt_versions":[{"name":"p","version":"1"}]}"#,
        Edit,
    ),
    ("GET", "mlflow/get-trace-artifact?request_id={t}", "", Read),
    ("GET", "3.0:mlflow/get-trace-artifact?request_id={t}", "", Read),
    (
        "POST",
        "3.0:mlflow/traces",
        r#"{"trace":{"trace_info":{"trace_id":"tr-new-{n}","request_time":"2026-01-01T00:00:00Z","state":"OK",
            "trace_location":{"mlflow_experiment":{"experiment_id":"{e}"}}}}}"#,
        Edit,
    ),
    ("GET", "3.0:mlflow/traces/{t}", "", Read),
    ("GET", "3.0:mlflow/traces/get?trace_id={t}", "", Read),
    ("GET", "3.0:mlflow/traces/batchGet?trace_ids={t}", "", Somebody),
    ("POST", "3.0:mlflow/traces/batchGetInfos", r#"{"trace_ids":["{t}"]}"#, Somebody),
    ("POST", "3.0:mlflow/traces/search", r#"{"locations":[{"mlflow_experiment":{"experiment_id":"{e}"}}]}"#, Read),
    ("POST", "3.0:mlflow/traces/delete-traces", r#"{"experiment_id":"{e}","request_ids":["{t}"]}"#, Manage),
    (
        "POST",
        "3.0:mlflow/traces/calculate-filter-correlation",
        r#"{"experiment_ids":["{e}"],"filter_string1":"tags.a = 'b'","filter_string2":"tags.a = 'b'"}"#,
        Read,
    ),
    (
        "POST",
        "3.0:mlflow/traces/metrics",
        r#"{"experiment_ids":["{e}"],"view_type":"TRACES","metric_name":"trace_count",
            "aggregations":[{"aggregation_type":"COUNT"}]}"#,
        Read,
    ),
    ("PATCH", "3.0:mlflow/traces/{t}/tags", r#"{"key":"k","value":"v"}"#, Edit),
    ("DELETE", "3.0:mlflow/traces/{t}/tags", r#"{"key":"t"}"#, Edit),
    (
        "POST",
        "3.0:mlflow/traces/{t}/assessments",
        r#"{"assessment":{"assessment_name":"a","feedback":{"value":1}}}"#,
        Edit,
    ),
    ("GET", "3.0:mlflow/traces/{t}/assessments/{a}", "", Read),
    (
        "PATCH",
        "3.0:mlflow/traces/{t}/assessments/{a}",
        r#"{"assessment":{"rationale":"x"},"update_mask":"rationale"}"#,
        Edit,
    ),
    ("DELETE", "3.0:mlflow/traces/{t}/assessments/{a}", "", Edit),
    ("POST", "3.0:mlflow/datasets/create", r#"{"name":"x","experiment_ids":["{e}"]}"#, Edit),
    ("GET", "3.0:mlflow/datasets/search", "", Somebody),
    ("POST", "3.0:mlflow/datasets/search", "{}", Somebody),
    ("GET", "3.0:mlflow/datasets/{d}", "", Read),
    ("DELETE", "3.0:mlflow/datasets/{d}", "", Manage),
    ("PATCH", "3.0:mlflow/datasets/{d}/tags", r#"{"tags":"{}"}"#, Edit),
    ("DELETE", "3.0:mlflow/datasets/{d}/tags/k", "", Edit),
    ("GET", "3.0:mlflow/datasets/{d}/records", "", Read),
    ("POST", "3.0:mlflow/datasets/{d}/records", r#"{"records":"[]"}"#, Edit),
    ("DELETE", "3.0:mlflow/datasets/{d}/records", r#"{"dataset_record_ids":["x"]}"#, Edit),
    ("GET", "3.0:mlflow/datasets/{d}/experiment-ids", "", Read),
    ("POST", "3.0:mlflow/datasets/{d}/add-experiments", r#"{"experiment_ids":["{e}"]}"#, Edit),
    ("POST", "3.0:mlflow/datasets/{d}/remove-experiments", r#"{"experiment_ids":["{e}"]}"#, Manage),
    ("POST", "3.0:mlflow/scorers/register", r#"{"experiment_id":"{e}","name":"judge","serialized_scorer":"{}"}"#, Edit),
    ("GET", "3.0:mlflow/scorers/list?experiment_id={e}", "", Read),
    ("GET", "3.0:mlflow/scorers/versions?experiment_id={e}&name=judge", "", Read),
    ("GET", "3.0:mlflow/scorers/get?experiment_id={e}&name=judge", "", Read),
    ("DELETE", "3.0:mlflow/scorers/delete", r#"{"experiment_id":"{e}","name":"judge"}"#, Manage),
    ("PUT", "3.0:mlflow/scorers/online-config", r#"{"experiment_id":"{e}","name":"judge","sample_rate":0}"#, Edit),
    ("GET", "3.0:mlflow/scorers/online-configs?scorer_ids=x", "", Somebody),
    (
        "POST",
        "3.0:mlflow/gateway/secrets/create",
        r#"{"secret_name":"new-{n}","secret_value":{"api_key":"x"},"provider":"openai"}"#,
        Edit,
    ),
    ("GET", "3.0:mlflow/gateway/secrets/get?secret_id={s}", "", Read),
    ("POST", "3.0:mlflow/gateway/secrets/update", r#"{"secret_id":"{s}","secret_value":{"api_key":"y"}}"#, Edit),
    ("DELETE", "3.0:mlflow/gateway/secrets/delete", r#"{"secret_id":"{s}"}"#, Manage),
    ("GET", "3.0:mlflow/gateway/secrets/list", "", Somebody),
    (
        "POST",
        "3.0:mlflow/gateway/model-definitions/create",
        r#"{"name":"new-{n}","secret_id":"{s}","provider":"openai","model_name":"m"}"#,
        Edit,
    ),
    ("GET", "3.0:mlflow/gateway/model-definitions/get?model_definition_id={f}", "", Read),
    (
        "POST",
        "3.0:mlflow/gateway/model-definitions/update",
        r#"{"model_definition_id":"{f}","secret_id":"{s}","provider":"other"}"#,
        Edit,
    ),
    ("DELETE", "3.0:mlflow/gateway/model-definitions/delete", r#"{"model_definition_id":"{f}"}"#, Manage),
    ("GET", "3.0:mlflow/gateway/model-definitions/list", "", Somebody),
    (
        "POST",
        "3.0:mlflow/gateway/endpoints/create",
        r#"{"name":"new-{n}","model_configs":[{"model_definition_id":"{f}"}]}"#,
        Edit,
    ),
    ("GET", "3.0:mlflow/gateway/endpoints/get?endpoint_id={g}", "", Read),
    (
        "POST",
        "3.0:mlflow/gateway/endpoints/update",
        r#"{"endpoint_id":"{g}","model_configs":[{"model_definition_id":"{f}"}]}"#,
        Edit,
    ),
    ("DELETE", "3.0:mlflow/gateway/endpoints/delete", r#"{"endpoint_id":"{g}"}"#, Manage),
    ("GET", "3.0:mlflow/gateway/endpoints/list", "", Somebody),
    (
        "POST",
        "3.0:mlflow/gateway/endpoints/models/attach",
        r#"{"endpoint_id":"{g}","model_config":{"model_definition_id":"{f}","linkage_type":"FALLBACK"}}"#,
        Edit,
    ),
    (
        "POST",
        "3.0:mlflow/gateway/endpoints/models/detach",
        r#"{"endpoint_id":"{g}","model_definition_id":"{f}"}"#,
        Edit,
    ),
    ("POST", "3.0:mlflow/gateway/endpoints/set-tag", r#"{"endpoint_id":"{g}","key":"k","value":"v"}"#, Edit),
    ("DELETE", "3.0:mlflow/gateway/endpoints/delete-tag", r#"{"endpoint_id":"{g}","key":"k"}"#, Edit),
    (
        "POST",
        "3.0:mlflow/gateway/endpoints/bindings/create",
        r#"{"endpoint_id":"{g}","resource_type":"scorer","resource_id":"x"}"#,
        Edit,
    ),
    (
        "DELETE",
        "3.0:mlflow/gateway/endpoints/bindings/delete",
        r#"{"endpoint_id":"{g}","resource_type":"scorer","resource_id":"x"}"#,
        Edit,
    ),
    ("GET", "3.0:mlflow/gateway/endpoints/bindings/list", "", Somebody),
    ("GET", "3.0:mlflow/gateway/supported-providers", "", Somebody),
    ("GET", "3.0:mlflow/gateway/supported-models", "", Somebody),
    ("GET", "3.0:mlflow/gateway/provider-config?provider=bedrock", "", Somebody),
    ("GET", "3.0:mlflow/gateway/secrets/config", "", Somebody),
    (
        "POST",
        "3.0:mlflow/gateway/secrets/permissions/create",
        r#"{"secret_id":"{s}","username":"none","permission":"READ"}"#,
        Manage,
    ),
    ("GET", "3.0:mlflow/gateway/secrets/permissions/get?secret_id={s}&username=none", "", Manage),
    (
        "PATCH",
        "3.0:mlflow/gateway/secrets/permissions/update",
        r#"{"secret_id":"{s}","username":"none","permission":"READ"}"#,
        Manage,
    ),
    ("DELETE", "3.0:mlflow/gateway/secrets/permissions/delete", r#"{"secret_id":"{s}","username":"none"}"#, Manage),
    (
        "POST",
        "3.0:mlflow/gateway/model-definitions/permissions/create",
        r#"{"model_definition_id":"{f}","username":"none","permission":"READ"}"#,
        Manage,
    ),
    ("GET", "3.0:mlflow/gateway/model-definitions/permissions/get?model_definition_id={f}&username=none", "", Manage),
    (
        "PATCH",
        "3.0:mlflow/gateway/model-definitions/permissions/update",
        r#"{"model_definition_id":"{f}","username":"none","permission":"READ"}"#,
        Manage,
    ),
    (
        "DELETE",
        "3.0:mlflow/gateway/model-definitions/permissions/delete",
        r#"{"model_definition_id":"{f}","username":"none"}"#,
        Manage,
    ),
    (
        "POST",
        "3.0:mlflow/gateway/endpoints/permissions/create",
        r#"{"endpoint_id":"{g}","username":"none","permission":"READ"}"#,
        Manage,
    ),
    ("GET", "3.0:mlflow/gateway/endpoints/permissions/get?endpoint_id={g}&username=none", "", Manage),
    (
        "PATCH",
        "3.0:mlflow/gateway/endpoints/permissions/update",
        r#"{"endpoint_id":"{g}","username":"none","permission":"READ"}"#,
        Manage,
    ),
    ("DELETE", "3.0:mlflow/gateway/endpoints/permissions/delete", r#"{"endpoint_id":"{g}","username":"none"}"#, Manage),
    ("POST", "root:v1/traces", "", Edit),
    ("GET", "mlflow-artifacts/artifacts/{e}/traces/{t}/artifacts/traces.json", "", Read),
    ("PUT", "mlflow-artifacts/artifacts/{e}/traces/{t}/artifacts/traces.json", "{}", Edit),
    ("POST", "native:runs/explain", r#"{"experiment_ids":["{e}"]}"#, Administrator),
    ("GET", "3.0:mlflow/workspaces", "", Somebody),
    ("POST", "3.0:mlflow/workspaces", r#"{"name":"w-{n}"}"#, Administrator),
    ("GET", "3.0:mlflow/workspaces/team-b", "", Administrator),
    ("PATCH", "3.0:mlflow/workspaces/team-b", r#"{"description":"{n}"}"#, Administrator),
    ("DELETE", "3.0:mlflow/workspaces/team-c", "", Administrator),
    ("GET", "3.0:mlflow/server-info", "", Somebody),
    ("GET", "3.0:mlflow/ui-telemetry", "", Somebody),
    ("POST", "3.0:mlflow/ui-telemetry", r#"{"records":[]}"#, Somebody),
    ("POST", "root:graphql", r#"{"query":"{ test(inputString: \"a\") { output } }"}"#, Somebody),
    ("GET", "root:static-files/static/js/main.js", "", Somebody),
    ("GET", "native:whoami", "", Somebody),
    ("GET", "native:logged-models/{m}/manifest", "", Read),
    ("GET", "native:models/{n}/versions/1/manifest", "", Read),
    ("GET", "native:models/{n}/versions/1/evidence", "", Read),
    ("POST", "native:models/{n}/versions/1/evidence", "{}", Edit),
    ("GET", "native:models/{n}/versions/1/files/MLmodel", "", Read),
    ("POST", "native:publish", r#"{"name":"{n}","version":1}"#, Manage),
    ("POST", "native:deployments", r#"{"name":"{n}","version":1}"#, Manage),
    ("POST", "native:decisions", r#"{"name":"{n}","version":1,"stage":"publish"}"#, Read),
    ("GET", "native:ledger/checkpoint", "", Administrator),
    ("GET", "native:ledger/entries", "", Administrator),
    ("GET", "native:tokens", "", Somebody),
    ("POST", "native:tokens", r#"{"scopes":["read"]}"#, Somebody),
    ("DELETE", "native:tokens/t", "", Somebody),
    ("POST", "native:users", r#"{"name":"new","password":"correct horse battery"}"#, Administrator),
    ("POST", "native:grants", r#"{"user":"admin","resource":"ledger","right":"READ"}"#, Administrator),
    ("DELETE", "native:grants", r#"{"user":"admin","resource":"ledger","right":"READ"}"#, Administrator),
];

/// What anybody may ask.
const OPEN: &[&str] = &[
    "/health",
    "/ping",
    "/version",
    "/",
    "/login",
    "/login/style.css",
    "/login/page.js",
    "/logout",
    // A capability is asked for in place of a login.
    "/api/2.0/mlflow-artifacts/mpu/parts/{upload}/{part}",
    "/ajax-api/2.0/mlflow-artifacts/mpu/parts/{upload}/{part}",
];
/// What takes more than its route says, because of what it names.
const NARROWER: &[(&str, &str, &str, Takes)] = &[
    ("GET", "mlflow-artifacts/artifacts", "", Administrator),
    ("GET", "mlflow-artifacts/artifacts?path=loose", "", Administrator),
    ("GET", "mlflow-artifacts/artifacts/loose/x", "", Administrator),
    ("PUT", "mlflow-artifacts/artifacts/loose/{n}", "content", Administrator),
    ("DELETE", "mlflow-artifacts/artifacts/loose/{n}", "", Administrator),
    ("POST", "mlflow-artifacts/mpu/create/loose", r#"{"path":"big","num_parts":2}"#, Administrator),
    ("POST", "mlflow-artifacts/mpu/complete/loose", r#"{"path":"big","upload_id":"x","parts":[]}"#, Administrator),
    ("POST", "mlflow-artifacts/mpu/abort/loose", r#"{"path":"big","upload_id":"x"}"#, Administrator),
];
/// Mounted for all methods, only to refuse.
const REFUSING: &[&str] = &["/mlflow-artifacts/artifacts/"];

/// The whole path of a row below a root.
fn whole(root: &str, path: &str) -> String {
    match path.split_once(':') {
        Some(("native", path)) => format!("/api/sealyard/v1/{path}"),
        Some(("root", path)) => format!("/{path}"),
        Some(("3.0", path)) => format!("{root}/3.0/{path}"),
        _ => format!("{root}/2.0/{path}"),
    }
}

/// Things to act on.
struct Fixture {
    experiment: String,
    run: String,
    model: String,
    name: String,
    issue: String,
    trace: String,
    assessment: String,
    dataset: String,
    secret: String,
    definition: String,
    endpoint: String,
}

impl Fixture {
    async fn new(test: &TestApp, number: usize) -> Self {
        let name = format!("n{number}");
        let experiment = test.experiment(&test.admin, &name).await;
        let run = test.run(&test.admin, &experiment).await;
        test.upload(&test.admin, &format!("{experiment}/{run}/artifacts/x"), "x").await.ok();
        let model = test.logged_model(&test.admin, &experiment).await;
        test.version(&test.admin, &name, &model).await;
        let issue = json!({"experiment_id": experiment, "name": "n", "description": "d"});
        let issue = test.post(&test.admin, "/api/3.0/mlflow/issues", issue).await.ok();
        let issue = issue["issue"]["issue_id"].as_str().unwrap().to_owned();
        let trace = format!("tr-{number}");
        test.trace(&test.admin, &experiment, &trace).await;
        let root = "/api/3.0/mlflow";
        let judged = json!({"assessment": {"assessment_name": "a", "feedback": {"value": 1}}});
        let judged = test.post(&test.admin, &format!("{root}/traces/{trace}/assessments"), judged).await.ok();
        let assessment = judged["assessment"]["assessment_id"].as_str().unwrap().to_owned();
        let dataset = json!({"name": name, "experiment_ids": [experiment]});
        let dataset = test.post(&test.admin, &format!("{root}/datasets/create"), dataset).await.ok();
        let dataset = dataset["dataset"]["dataset_id"].as_str().unwrap().to_owned();
        let scorer = json!({"experiment_id": experiment, "name": "judge", "serialized_scorer": "{}"});
        test.post(&test.admin, &format!("{root}/scorers/register"), scorer).await.ok();
        let gateway = async |path: &str, kind: &str, body: Value| {
            let made = test.post(&test.admin, &format!("{root}/gateway/{path}/create"), body).await.ok();
            made[kind][format!("{kind}_id")].as_str().unwrap().to_owned()
        };
        let secret = json!({"secret_name": name, "secret_value": {"api_key": "k"}, "provider": "openai"});
        let secret = gateway("secrets", "secret", secret).await;
        let definition = json!({"name": name, "secret_id": secret, "provider": "openai", "model_name": "m"});
        let definition = gateway("model-definitions", "model_definition", definition).await;
        let models = json!([{"model_definition_id": definition}]);
        let endpoint = json!({"name": name, "model_configs": models, "usage_tracking": false});
        let endpoint = gateway("endpoints", "endpoint", endpoint).await;
        Self { experiment, run, model, name, issue, trace, assessment, dataset, secret, definition, endpoint }
    }

    fn fill(&self, text: &str) -> String {
        let text = text.replace("{e}", &self.experiment).replace("{r}", &self.run);
        let text = text.replace("{m}", &self.model).replace("{n}", &self.name).replace("{t}", &self.trace);
        let text = text.replace("{s}", &self.secret).replace("{f}", &self.definition).replace("{g}", &self.endpoint);
        text.replace("{a}", &self.assessment).replace("{d}", &self.dataset).replace("{i}", &self.issue)
    }

    async fn ask(&self, test: &TestApp, user: &User, root: &str, route: &(&str, &str, &str, Takes)) -> (u16, Value) {
        self.ask_in(test, user, root, route, None).await
    }

    async fn ask_in(
        &self,
        test: &TestApp,
        user: &User,
        root: &str,
        route: &(&str, &str, &str, Takes),
        workspace: Option<&str>,
    ) -> (u16, Value) {
        let (method, path, body, _) = route;
        let path = whole(root, path);
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let mut headers = vec![("x-mlflow-experiment-id", self.experiment.as_str())];
        headers.extend(workspace.map(|name| ("x-mlflow-workspace", name)));
        let answer = test.send_with(user, method, &self.fill(&path), &headers, Body::from(self.fill(body))).await;
        (answer.status.as_u16(), answer.json())
    }

    /// Ids of the same form that nothing has.
    fn ghost(&self) -> Self {
        let other = |id: &str| id.chars().rev().collect::<String>();
        let behind = |id: &str, front: usize| format!("{}{}", &id[..front], other(&id[front..]));
        Self {
            experiment: "98".into(),
            run: other(&self.run),
            model: behind(&self.model, 2),
            name: "nothing".into(),
            issue: behind(&self.issue, self.issue.find('-').map_or(0, |at| at + 1)),
            trace: "tr-98".into(),
            assessment: behind(&self.assessment, 2),
            dataset: behind(&self.dataset, 2),
            secret: behind(&self.secret, 2),
            definition: behind(&self.definition, 2),
            endpoint: behind(&self.endpoint, 2),
        }
    }

    /// An answer without what differs between two things of one kind.
    fn plain(&self, other: &Self, body: &Value) -> String {
        let mut text = body.to_string();
        for one in [self, other] {
            let gateway = [&one.secret, &one.definition, &one.endpoint];
            let ids = [&one.run, &one.model, &one.issue, &one.trace, &one.assessment, &one.dataset, &one.name];
            for id in ids.into_iter().chain(gateway) {
                text = text.replace(id.as_str(), "ID");
            }
        }
        let numbers = text.split(|character: char| character.is_ascii_digit()).filter(|part| !part.is_empty());
        numbers.collect::<Vec<_>>().join("#")
    }

    /// What an administrator is shown of it, in the default workspace.
    async fn shown(&self, test: &TestApp) -> Vec<Value> {
        let mut all = Vec::new();
        for route in ROUTES.iter().filter(|route| route.0 == "GET" && route.3 == Read) {
            let (status, body) = self.ask(test, &test.admin, "/api", route).await;
            assert!(status < 500, "{route:?}");
            all.push(body);
        }
        all
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_takes_what_it_says() {
    let test = TestApp::with_pages(true).await;
    let kinds = ["experiment", "registered-model", "gateway-secret", "gateway-model-definition", "gateway-endpoint"];
    let kinds = kinds.map(|kind| format!("{kind}:*"));
    let all = |right| kinds.each_ref().map(|kind| (kind.as_str(), right));
    let callers = [
        ("none", test.user("none", &[]).await, Somebody),
        ("other workspace", stranger(&test).await, Somebody),
        ("reader", test.user("reader", &all("READ")).await, Read),
        ("editor", test.user("editor", &all("EDIT")).await, Edit),
        ("manager", test.user("manager", &all("MANAGE")).await, Manage),
        ("admin", test.admin.clone(), Administrator),
    ];
    let untouched = Fixture::new(&test, 0).await;
    let mut number = 0;
    for route in ROUTES.iter().chain(NARROWER) {
        for root in ["/api", "/ajax-api"] {
            let (status, body) = untouched.ask(&test, &NOBODY, root, route).await;
            assert_eq!((status, &body["error_code"]), (401, &json!("UNAUTHENTICATED")), "nobody: {route:?}");
            for (name, user, has) in &callers {
                if *has >= route.3 {
                    continue;
                }
                let (status, body) = untouched.ask(&test, user, root, route).await;
                assert_eq!(
                    (status, &body["error_code"]),
                    (403, &json!("PERMISSION_DENIED")),
                    "{name}: {route:?} {body}"
                );
            }
        }
        for (name, user, has) in &callers {
            if *has < route.3 {
                continue;
            }
            let reads = matches!(route.0, "GET") || route.3 == Somebody;
            let fresh = if reads {
                None
            } else {
                Some({
                    number += 1;
                    Fixture::new(&test, number).await
                })
            };
            let (status, body) = fresh.as_ref().unwrap_or(&untouched).ask(&test, user, "/api", route).await;
            assert!(!matches!(status, 401 | 403 | 405 | 500..), "{name}: {route:?} {status} {body}");
            assert_ne!(body["error_code"], "ENDPOINT_NOT_FOUND", "{name}: {route:?}");
        }
    }
}

/// Somebody who may do everything in the workspace `team-a`, and nothing in any other.
async fn stranger(test: &TestApp) -> User {
    test.app.enable_workspaces();
    for name in ["team-a", "team-b"] {
        test.post(&test.admin, "/api/3.0/mlflow/workspaces", json!({ "name": name })).await.ok();
    }
    let all = ["team-a/experiment:*", "team-a/registered-model:*", "workspace:team-a"].map(|what| (what, "MANAGE"));
    test.user("stranger", &all).await
}

/// In a workspace, what is in another one is as what is nowhere: whoever asks, and whatever is asked, the answers to both are
/// the same, and what is in the other one stays as it was.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_in_another_workspace_is_as_what_is_nowhere() {
    let test = TestApp::with_pages(true).await;
    let stranger = stranger(&test).await;
    let real = Fixture::new(&test, 10).await;
    let before = real.shown(&test).await;
    let ghost = real.ghost();
    for route in ROUTES {
        for (name, user) in [("stranger", &stranger), ("admin", &test.admin)] {
            // What is of the whole server is there from wherever it is asked for.
            if name == "admin" && route.3 == Administrator && !route.2.contains("{e}") {
                continue;
            }
            for root in ["/api", "/ajax-api"] {
                let (status, body) = real.ask_in(&test, user, root, route, Some("team-a")).await;
                let (expected, nowhere) = ghost.ask_in(&test, user, root, route, Some("team-a")).await;
                assert_eq!(status, expected, "{name}: {route:?} {body} {nowhere}");
                let reads =
                    ["search", "metrics", "calculate"].iter().any(|asks| route.1.contains(asks)) || route.0 == "GET";
                if status >= 400 || (reads && route.3 != Administrator) {
                    assert_eq!(real.plain(&ghost, &body), real.plain(&ghost, &nowhere), "{name}: {route:?}");
                }
            }
        }
    }
    assert_eq!(real.shown(&test).await, before);
    // And a workspace in which somebody has no right is as one that is not there.
    for workspace in ["team-b", "none-such"] {
        for route in ROUTES.iter().filter(|route| route.1 != "3.0:mlflow/server-info") {
            let (status, body) = real.ask_in(&test, &stranger, "/api", route, Some(workspace)).await;
            assert_eq!((status, &body["error_code"]), (404, &json!("RESOURCE_DOES_NOT_EXIST")), "{route:?} {body}");
            assert_eq!(body["message"], format!("Workspace '{workspace}' not found"));
        }
    }
}

/// How well a pattern such as `/a/{b}/{*rest}` fits a path: more for what is the same, nothing if it does not fit.
fn fit(pattern: &str, path: &str) -> Option<usize> {
    let (mut pattern, mut path, mut score) = (pattern.split('/'), path.split('/').peekable(), 0);
    loop {
        match (pattern.next(), path.next()) {
            (None, None) => return Some(score),
            (Some(part), Some(given)) if part.starts_with("{*") => return (!given.is_empty()).then_some(score),
            (Some(part), Some(given)) if part.starts_with('{') && !given.is_empty() => score += 1,
            (Some(part), Some(given)) if part == given => score += 2,
            _ => return None,
        }
    }
}

/// The route that a row of the table asks below a root.
fn endpoint_of<'a>(all: &'a [Endpoint], root: &str, row: &(&str, &str, &str, Takes)) -> Option<&'a Endpoint> {
    let path = whole(root, row.1);
    let path = path.split('?').next().unwrap();
    let fitting = all.iter().filter(|endpoint| endpoint.method == row.0 || endpoint.method == "ANY");
    fitting
        .filter_map(|endpoint| Some((fit(&endpoint.path, path)?, endpoint)))
        .max_by_key(|(score, _)| *score)
        .map(|(_, found)| found)
}

#[test]
fn the_table_has_every_route() {
    let all = endpoints();
    assert!(all.len() > 100, "{}", all.len());
    let mut asked = Vec::new();
    for row in ROUTES {
        for root in ["/api", "/ajax-api"] {
            let found = endpoint_of(&all, root, row).unwrap_or_else(|| panic!("no route is mounted for {row:?}"));
            assert_eq!(found.takes, row.3, "the router and the table disagree: {found:?}");
            asked.push(found);
        }
    }
    for endpoint in &all {
        match (endpoint.takes, endpoint.method) {
            (Nobody, _) => assert!(OPEN.contains(&endpoint.path.as_str()), "open to everybody: {endpoint:?}"),
            // Refuses whatever the method.
            (_, "ANY") => assert!(REFUSING.iter().any(|end| endpoint.path.ends_with(end)), "{endpoint:?}"),
            _ => assert!(asked.contains(&endpoint), "a route without a row in the table: {endpoint:?}"),
        }
    }
}

/// A route that says what it takes but does not ask is found by the callers of the matrix; one that was mounted past the
/// list would not be. So there is no other way to mount one: here is what would be needed.
#[test]
fn nothing_is_mounted_past_the_list() {
    fn look(folder: &std::path::Path) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                look(&path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let source = std::fs::read_to_string(&path).unwrap();
                let whole = ["src/http/routes.rs", "src/http/mod.rs", "src/lib.rs", "src/inference/mod.rs"];
                let may = whole.iter().any(|may| path.ends_with(may));
                let routing = source.contains("axum::routing") || source.contains("axum::Router");
                assert!(may || !routing, "{} has a router of its own", path.display());
            }
        }
    }
    look(&std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
}
