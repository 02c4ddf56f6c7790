//! Traces, their assessments, and OpenTelemetry's endpoint.

use sealyard_api::Takes::{Edit, Manage, Read, Somebody};

use super::Row;

pub(super) const ROUTES: &[Row] = &[
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
    ("POST", "root:v1/traces", "", Edit),
];
