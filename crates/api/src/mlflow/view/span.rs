use sealyard_app::WholeTrace;
use serde::ser::{Error as _, SerializeSeq as _};
use serde::{Serialize, Serializer};
use serde_json::{Map, Value, json};

use super::TraceInfoView;

/// A trace of an answer, with its spans as OpenTelemetry's protobuf has them in JSON.
#[derive(Debug, Serialize)]
pub(in crate::mlflow) struct TraceView {
    trace_info: TraceInfoView,
    #[serde(skip_serializing_if = "Vec::is_empty", serialize_with = "one_by_one")]
    spans: Vec<String>,
}

impl From<WholeTrace> for TraceView {
    fn from(WholeTrace { trace, spans }: WholeTrace) -> Self {
        Self { trace_info: trace.into(), spans }
    }
}

impl TraceView {
    /// Without spans.
    pub(in crate::mlflow) fn of_info(trace_info: TraceInfoView) -> Self {
        Self { trace_info, spans: Vec::new() }
    }
}

/// Each span from its text, when it is its turn: never are all of them there as values, which take many times their bytes.
fn one_by_one<S: Serializer>(spans: &[String], serializer: S) -> Result<S::Ok, S::Error> {
    let mut list = serializer.serialize_seq(Some(spans.len()))?;
    for text in spans {
        let content = serde_json::from_str(text).map_err(|_| S::Error::custom("a stored span can't be read"))?;
        list.serialize_element(&span(&content))?;
    }
    list.end()
}

/// From what MLflow's trace data have.
fn span(content: &Value) -> Value {
    let mut span = Map::new();
    for key in ["trace_id", "span_id", "parent_span_id", "name", "start_time_unix_nano", "end_time_unix_nano"] {
        if let Some(value) = content.get(key).filter(|value| !value.is_null()) {
            span.insert(key.to_owned(), value.clone());
        }
    }
    if let Some(Value::Object(attributes)) = content.get("attributes") {
        // Each is kept as the text of its JSON.
        let decoded = |value: &Value| match value {
            Value::String(text) => serde_json::from_str(text).unwrap_or_else(|_| value.clone()),
            other => other.clone(),
        };
        let pairs = attributes.iter().map(|(key, value)| json!({ "key": key, "value": any_value(&decoded(value)) }));
        span.insert("attributes".to_owned(), pairs.collect());
    }
    if let Some(Value::Array(events)) =
        content.get("events").filter(|events| events.as_array().is_some_and(|e| !e.is_empty()))
    {
        span.insert("events".to_owned(), events.iter().map(event).collect());
    }
    if let Some(status) = content.get("status") {
        span.insert("status".to_owned(), status.clone());
    }
    Value::Object(span)
}

fn event(content: &Value) -> Value {
    let empty = Map::new();
    let attributes = content.get("attributes").and_then(Value::as_object).unwrap_or(&empty);
    let pairs: Value = attributes.iter().map(|(key, value)| json!({ "key": key, "value": any_value(value) })).collect();
    json!({
        "name": content.get("name"),
        "time_unix_nano": content.get("time_unix_nano"),
        "attributes": pairs,
    })
}

fn any_value(value: &Value) -> Value {
    match value {
        Value::Null => json!({}),
        Value::Bool(flag) => json!({ "bool_value": flag }),
        Value::Number(number) if number.is_i64() => json!({ "int_value": number }),
        Value::Number(number) => json!({ "double_value": number }),
        Value::String(text) => json!({ "string_value": text }),
        Value::Array(items) => {
            json!({ "array_value": { "values": items.iter().map(any_value).collect::<Value>() } })
        }
        Value::Object(fields) => {
            let pairs: Value =
                fields.iter().map(|(key, value)| json!({ "key": key, "value": any_value(value) })).collect();
            json!({ "kvlist_value": { "values": pairs } })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_come_back_as_values() {
        let content = json!({
            "trace_id": "AQ==", "span_id": "Ag==", "parent_span_id": null, "name": "step", "start_time_unix_nano": 5,
            "end_time_unix_nano": null, "status": {"code": "STATUS_CODE_OK", "message": ""},
            "attributes": {"a": "\"x\"", "b": "{\"c\": [1, 2.5, null]}", "odd": "NaN"},
            "events": [{"name": "e", "time_unix_nano": 7, "attributes": {"n": true}}],
        });
        let found = span(&content);
        let expected = json!([
            {"key": "a", "value": {"string_value": "x"}},
            {"key": "b", "value": {"kvlist_value": {"values": [{"key": "c", "value": {"array_value": {"values": [
                {"int_value": 1}, {"double_value": 2.5}, {}]}}}]}}},
            {"key": "odd", "value": {"string_value": "NaN"}},
        ]);
        assert_eq!(found["attributes"], expected);
        assert_eq!(found["events"][0]["attributes"], json!([{"key": "n", "value": {"bool_value": true}}]));
        assert!(found.get("parent_span_id").is_none() && found.get("end_time_unix_nano").is_none());
    }
}
