//! Where the ledger's entries are sent on to, in their order and at least once.
//!
//! A [`Sink`] is given batches of entries and says when it has them; whoever drives it keeps a cursor and goes on from there
//! after a failure or a start. [`FileSink`] knows by itself which entry it has last, so that none is in it twice.
#![forbid(unsafe_code)]

mod file;
mod otlp;
mod syslog;
mod webhook;

use sealyard_core::Timestamp;
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

    /// The index that comes next, where the sink knows better than any cursor.
    ///
    /// # Errors
    /// [`SinkError::Io`].
    pub fn next(&self) -> Result<Option<u64>, SinkError> {
        match self {
            Self::File(sink) => Ok(sink.next()?),
            _ => Ok(None),
        }
    }
}

/// Lets other tasks of this thread go on meanwhile, where there are others threads for them.
fn blocking<T>(work: impl FnOnce() -> T) -> T {
    use tokio::runtime::{Handle, RuntimeFlavor};
    match Handle::try_current().map(|handle| handle.runtime_flavor()) {
        Ok(RuntimeFlavor::MultiThread) => tokio::task::block_in_place(work),
        _ => work(),
    }
}

/// The authorities that this machine trusts.
#[must_use]
pub fn system_roots() -> rustls::RootCertStore {
    let mut roots = rustls::RootCertStore::empty();
    for certificate in rustls_native_certs::load_native_certs().certs {
        // One that can't be read is one fewer to trust.
        let _ = roots.add(certificate);
    }
    roots
}

/// The entry as one JSON object with its index and leaf hash beside the event.
pub(crate) fn line(entry: &Entry) -> Value {
    let event = serde_json::from_slice(&entry.bytes)
        .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&entry.bytes).into_owned()));
    let leaf = sealyard_ledger::merkle::leaf_hash(&entry.bytes);
    serde_json::json!({ "index": entry.index, "leaf": leaf, "event": event })
}
