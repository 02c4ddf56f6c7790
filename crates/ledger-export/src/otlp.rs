use bytes::Bytes;
use sealyard_core::Redacted;
use sealyard_ledger::Facets;
use sealyard_outbound::Outbound;
use serde_json::{Value, json};

use crate::{Entry, SinkError};

/// OpenTelemetry logs over HTTP, as JSON (OTLP 1.x).
#[derive(Debug)]
pub struct OtlpSink {
    url: String,
    authorization: Option<Redacted<String>>,
    client: Outbound,
}

impl OtlpSink {
    /// Sends to `url`, which is whole: `https://collector.example/v1/logs`.
    #[must_use]
    pub const fn new(url: String, authorization: Option<Redacted<String>>, client: Outbound) -> Self {
        Self { url, authorization, client }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    pub(crate) async fn send(&self, entries: &[Entry]) -> Result<(), SinkError> {
        let mut headers = vec![("content-type", "application/json".to_owned())];
        headers.extend(self.authorization.as_ref().map(|value| ("authorization", value.expose().clone())));
        let answer = self.client.post(&self.url, &headers, Bytes::from(request(entries).to_string())).await?;
        if !(200..300).contains(&answer.status) {
            return Err(SinkError::Status(answer.status));
        }
        match rejected(&answer.body) {
            0 => Ok(()),
            number => Err(SinkError::Rejected(number)),
        }
    }
}

/// How many records the collector says that it did not take, although it answers that all is well.
fn rejected(answer: &[u8]) -> u64 {
    let Ok(answer) = serde_json::from_slice::<Value>(answer) else { return 0 };
    let number = answer.get("partialSuccess").and_then(|partial| partial.get("rejectedLogRecords"));
    // As JSON, 64 bits are text; some write a number.
    number.and_then(|number| number.as_u64().or_else(|| number.as_str()?.parse().ok())).unwrap_or(0)
}

fn request(entries: &[Entry]) -> Value {
    let records: Vec<Value> = entries.iter().map(record).collect();
    let text = |key: &str, value: &str| json!({"key": key, "value": {"stringValue": value}});
    json!({"resourceLogs": [{
        "resource": {"attributes": [text("service.name", "sealyard")]},
        "scopeLogs": [{
            "scope": {"name": "sealyard.ledger", "version": env!("CARGO_PKG_VERSION")},
            "logRecords": records,
        }],
    }]})
}

fn record(entry: &Entry) -> Value {
    let Facets { time, actor, act, outcome, subjects, .. } = Facets::of(&entry.bytes);
    // Numbers of the data model: INFO, WARN, ERROR.
    let (number, severity) = match outcome.as_str() {
        "refused" => (13, "WARN"),
        "failed" => (17, "ERROR"),
        _ => (9, "INFO"),
    };
    let mut attributes = vec![json!({"key": "sealyard.ledger.index", "value": {"intValue": entry.index.to_string()}})];
    for (key, value) in [("actor", &actor), ("act", &act), ("outcome", &outcome), ("subjects", &subjects.join(" "))] {
        if !value.is_empty() {
            attributes.push(json!({"key": format!("sealyard.ledger.{key}"), "value": {"stringValue": value}}));
        }
    }
    // The name that OpenTelemetry's conventions have for it.
    attributes.extend(entry.source().map(|source| json!({"key": "client.address", "value": {"stringValue": source}})));
    json!({
        "timeUnixNano": i128::from(time.max(0)).saturating_mul(1_000_000).to_string(),
        "severityNumber": number,
        "severityText": severity,
        "body": {"stringValue": entry.line()},
        "attributes": attributes,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_laid_out_as_the_data_model_says() {
        let bytes = br#"{"time":1500,"actor":"ada","act":"logged-in","outcome":"refused"}"#.to_vec();
        let personal = Some(json!({"source": "192.0.2.7"}));
        let request = request(&[Entry { index: 3, bytes, personal }]);
        let record = &request["resourceLogs"][0]["scopeLogs"][0]["logRecords"][0];
        assert_eq!(record["timeUnixNano"], "1500000000");
        assert_eq!((record["severityNumber"].as_i64(), record["severityText"].as_str()), (Some(13), Some("WARN")));
        assert_eq!(record["attributes"][0]["value"]["intValue"], "3");
        let last = record["attributes"].as_array().unwrap().last().unwrap();
        assert_eq!((&last["key"], &last["value"]["stringValue"]), (&json!("client.address"), &json!("192.0.2.7")));
        assert!(record["body"]["stringValue"].as_str().unwrap().contains("\"index\":3"));
    }

    #[test]
    fn what_a_collector_did_not_take_is_seen() {
        for (answer, number) in [
            (r#"{"partialSuccess":{"rejectedLogRecords":"2"}}"#, 2),
            (r#"{"partialSuccess":{"rejectedLogRecords":3,"errorMessage":"no"}}"#, 3),
            (r#"{"partialSuccess":{}}"#, 0),
            ("{}", 0),
            ("<html>", 0),
        ] {
            assert_eq!(rejected(answer.as_bytes()), number, "{answer}");
        }
    }
}
