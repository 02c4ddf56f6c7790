use std::collections::BTreeMap;

use sealyard_core::Timestamp;
use sealyard_store::model::{Pair, Trace};
use serde::Serialize;

use super::AssessmentView;

/// A trace of an answer (v3), without its spans.
#[derive(Debug, Serialize)]
pub(in crate::mlflow) struct TraceInfoView {
    trace_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_request_id: Option<String>,
    trace_location: Location,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_preview: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_preview: Option<String>,
    request_time: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    execution_duration: Option<String>,
    state: &'static str,
    trace_metadata: BTreeMap<String, String>,
    tags: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    assessments: Vec<AssessmentView>,
}

#[derive(Debug, Serialize)]
struct Location {
    r#type: &'static str,
    mlflow_experiment: Experiment,
}

#[derive(Debug, Serialize)]
struct Experiment {
    experiment_id: String,
}

/// As protobuf's JSON has a map.
pub(in crate::mlflow) fn map(pairs: Vec<Pair>) -> BTreeMap<String, String> {
    pairs.into_iter().map(|Pair { key, value }| (key, value)).collect()
}

impl From<Trace> for TraceInfoView {
    fn from(trace: Trace) -> Self {
        Self {
            trace_id: trace.id,
            client_request_id: trace.client_request_id,
            trace_location: Location {
                r#type: "MLFLOW_EXPERIMENT",
                mlflow_experiment: Experiment { experiment_id: trace.experiment_id },
            },
            request_preview: trace.request_preview,
            response_preview: trace.response_preview,
            request_time: Timestamp::from_millis(trace.started).to_rfc3339(),
            execution_duration: trace.duration.map(duration),
            state: trace.state.as_str(),
            trace_metadata: map(trace.metadata),
            tags: map(trace.tags),
            assessments: trace.assessments.into_iter().map(AssessmentView::from).collect(),
        }
    }
}

/// Milliseconds as protobuf's JSON writes a duration.
fn duration(millis: i64) -> String {
    let (sign, millis) = if millis < 0 { ("-", millis.unsigned_abs()) } else { ("", millis.unsigned_abs()) };
    format!("{sign}{}.{:03}s", millis / 1000, millis % 1000)
}

/// Milliseconds of a duration as protobuf's JSON writes it.
pub(in crate::mlflow) fn read_duration(text: &str) -> Option<i64> {
    let seconds = text.strip_suffix('s')?;
    let (whole, fraction) = seconds.split_once('.').unwrap_or((seconds, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let (sign, whole) = whole.strip_prefix('-').map_or((1, whole), |rest| (-1, rest));
    if !digits(whole) || !digits(fraction) || fraction.len() > 9 {
        return None;
    }
    let millis: i64 = format!("{fraction:0<3}").get(..3)?.parse().ok()?;
    whole.parse::<i64>().ok()?.checked_mul(1000)?.checked_add(millis)?.checked_mul(sign)
}

/// A trace of an answer (v2).
#[derive(Debug, Serialize)]
pub(in crate::mlflow) struct TraceInfoV2View {
    request_id: String,
    experiment_id: String,
    timestamp_ms: i64,
    execution_time_ms: i64,
    status: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    request_metadata: Vec<Pair>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tags: Vec<Pair>,
}

impl From<Trace> for TraceInfoV2View {
    fn from(trace: Trace) -> Self {
        let status = match trace.state.as_str() {
            "STATE_UNSPECIFIED" => "TRACE_STATUS_UNSPECIFIED",
            other => other,
        };
        Self {
            request_id: trace.id,
            experiment_id: trace.experiment_id,
            timestamp_ms: trace.started,
            execution_time_ms: trace.duration.unwrap_or(0),
            status,
            request_metadata: trace.metadata,
            tags: trace.tags,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_round_trip() {
        for millis in [0, 1, 999, 1000, 1500, 86_400_001, -5] {
            assert_eq!(read_duration(&duration(millis)), Some(millis));
        }
        assert_eq!(read_duration("3s"), Some(3000));
        assert_eq!(read_duration("3.5s"), Some(3500));
        assert_eq!(read_duration("3.000001s"), Some(3000));
        for text in ["", "s", "3", "3ms", ".5s", "3.s", "1e3s", "99999999999999999999s", "3.0000000001s", "é.5s"] {
            assert_eq!(read_duration(text), None, "{text}");
        }
    }
}
