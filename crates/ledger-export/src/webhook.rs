use bytes::Bytes;
use sealyard_core::{Redacted, Timestamp};
use sealyard_outbound::{Outbound, webhook_signature};

use crate::{Entry, SinkError};

/// A POST of a batch of entries as JSON, signed as the webhooks of the registry are.
#[derive(Debug)]
pub struct WebhookSink {
    url: String,
    secret: Redacted<String>,
    client: Outbound,
}

impl WebhookSink {
    /// Sends to `url`, signed with `secret`.
    #[must_use]
    pub fn new(url: String, secret: Redacted<String>, client: Outbound) -> Self {
        Self { url, secret, client }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    pub(crate) async fn send(&self, entries: &[Entry], now: Timestamp) -> Result<(), SinkError> {
        let (Some(first), Some(last)) = (entries.first(), entries.last()) else { return Ok(()) };
        // The same batch has the same id, so that a receiver knows it again.
        let id = format!("ledger-{}-{}", first.index, last.index);
        let lines: Vec<String> = entries.iter().map(Entry::line).collect();
        let body = format!(
            "{{\"entity\":\"ledger\",\"first\":{},\"last\":{},\"entries\":[{}]}}",
            first.index,
            last.index,
            lines.join(",")
        );
        let timestamp = (now.as_millis() / 1000).to_string();
        let headers = [
            ("content-type", "application/json".to_owned()),
            ("X-MLflow-Signature", webhook_signature(&self.secret, &id, &timestamp, &body)),
            ("X-MLflow-Delivery-Id", id),
            ("X-MLflow-Timestamp", timestamp),
        ];
        let answer = self.client.post(&self.url, &headers, Bytes::from(body)).await?;
        if (200..300).contains(&answer.status) { Ok(()) } else { Err(SinkError::Status(answer.status)) }
    }
}
