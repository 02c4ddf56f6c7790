use sealyard_core::Timestamp;

use crate::StoreError;

type Result<T> = std::result::Result<T, StoreError>;

/// Numbers about the catalog, for who watches a server.
#[allow(
    missing_docs,
    clippy::missing_errors_doc,
    reason = "each does what its name says and fails as `StoreError` says"
)]
pub trait Figures {
    /// Sessions that have not expired by `now` and were used since `idle_since`.
    fn open_sessions(&mut self, now: Timestamp, idle_since: Timestamp) -> Result<u64>;
}
