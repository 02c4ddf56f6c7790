//! Where the ledger's entries are sent on to, in their order and at least once.
//!
//! A [`Sink`] is given batches of entries and says when it has them; whoever drives it keeps a cursor and goes on from there
//! after a failure or a start. [`FileSink`] knows by itself which entry it has last, so that none is in it twice.
#![forbid(unsafe_code)]

mod file;
mod otlp;
mod syslog;
mod webhook;

use sealyard_core::{Digest, Timestamp};
use sealyard_ledger::merkle::leaf_hash;
use serde_json::Value;

pub use file::{FileSink, Rotation};
pub use otlp::OtlpSink;
pub use syslog::{SyslogAddress, SyslogSink};
pub use webhook::WebhookSink;

/// One entry on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its index in the log.
    pub index: u64,
    /// Its bytes as the log hashes them.
    pub bytes: Vec<u8>,
    /// What is kept apart of it, where the receiver is to have that: an object, of which `source` is the address that somebody came
    /// from, or the text `erased`.
    pub personal: Option<Value>,
}

impl Entry {
    /// The entry as [one line](sealyard_ledger::line), with what is kept apart of it in the field `personal`.
    pub(crate) fn line(&self) -> String {
        let mut line = sealyard_ledger::line(self.index, &self.bytes);
        if let Some(personal) = &self.personal
            && line.pop() == Some('}')
        {
            line.push_str(",\"personal\":");
            line.push_str(&sealyard_ledger::plain_json(personal));
            line.push('}');
        }
        line
    }

    /// The address that whoever acted came from, where the receiver is to have it.
    pub(crate) fn source(&self) -> Option<&str> {
        self.personal.as_ref()?.get("source")?.as_str()
    }

    /// Its leaf hash.
    #[must_use]
    pub fn leaf(&self) -> Digest {
        leaf_hash(&self.bytes)
    }
}

/// The last entry that a sink has, as it says itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Last {
    /// Its index.
    pub index: u64,
    /// Its leaf hash, by which to see whether it is of the same log.
    pub leaf: Digest,
}

/// Why entries did not get there. They are sent again.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SinkError {
    /// A file or a connection failed.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// The request was not sent, or not answered.
    #[error(transparent)]
    Outbound(#[from] sealyard_outbound::OutboundError),
    /// The receiver said no.
    #[error("the receiver answered with HTTP {0}")]
    Status(u16),
    /// The receiver took all but so many, and does not say which.
    #[error("the receiver did not take {0} of the entries")]
    Rejected(u64),
    /// The certificate of the receiver's authority can't be used.
    #[error("TLS: {0}")]
    Tls(String),
}

/// Somewhere that entries go to.
#[derive(Debug)]
#[non_exhaustive]
pub enum Sink {
    /// Files of JSON lines.
    File(FileSink),
    /// A syslog server.
    Syslog(SyslogSink),
    /// An OpenTelemetry collector.
    Otlp(OtlpSink),
    /// Anybody who takes a POST.
    Webhook(WebhookSink),
}

impl Sink {
    /// Sends entries; when this is done the receiver has all of them.
    ///
    /// # Errors
    /// [`SinkError`]; it may have some of them then.
    pub async fn send(&mut self, entries: &[Entry], now: Timestamp) -> Result<(), SinkError> {
        match self {
            Self::File(sink) => blocking(|| sink.send(entries, now)),
            Self::Syslog(sink) => sink.send(entries).await,
            Self::Otlp(sink) => sink.send(entries).await,
            Self::Webhook(sink) => sink.send(entries, now).await,
        }
    }

    /// Where entries go, for people. URLs without their paths, which may hold a secret.
    #[must_use]
    pub fn destination(&self) -> String {
        match self {
            Self::File(sink) => format!("file {}", sink.path().display()),
            Self::Syslog(sink) => format!("syslog {}", sink.address()),
            Self::Otlp(sink) => format!("otlp {}", origin(sink.url())),
            Self::Webhook(sink) => format!("webhook {}", origin(sink.url())),
        }
    }

    /// What it has last, where the sink knows better than any cursor.
    ///
    /// # Errors
    /// [`SinkError::Io`].
    pub fn last(&self) -> Result<Option<Last>, SinkError> {
        match self {
            Self::File(sink) => Ok(blocking(|| sink.last())?),
            _ => Ok(None),
        }
    }
}

/// Lets other tasks of this thread go on meanwhile, where there are other threads for them.
fn blocking<T>(work: impl FnOnce() -> T) -> T {
    use tokio::runtime::{Handle, RuntimeFlavor};
    match Handle::try_current().map(|handle| handle.runtime_flavor()) {
        Ok(RuntimeFlavor::MultiThread) => tokio::task::block_in_place(work),
        _ => work(),
    }
}

/// Scheme, host and port of a URL that the guard found nothing wrong with.
fn origin(url: &str) -> &str {
    let host = url.find("://").map_or(0, |at| at + 3);
    let path = url.get(host..).and_then(|rest| rest.find(['/', '?', '#']));
    path.and_then(|path| url.get(..host + path)).unwrap_or(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_destination_has_no_secret() {
        assert_eq!(origin("https://hooks.example:8443/T0/secret?token=x"), "https://hooks.example:8443");
        assert_eq!(origin("https://hooks.example?token=x"), "https://hooks.example");
        assert_eq!(origin("https://hooks.example"), "https://hooks.example");
    }
}
