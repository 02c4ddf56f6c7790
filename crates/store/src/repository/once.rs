use sealyard_core::Timestamp;

use crate::StoreError;

type Result<T> = std::result::Result<T, StoreError>;

/// What is good for one time, on all servers of one catalog: a log-in at a provider, a log-out token.
#[allow(
    missing_docs,
    clippy::missing_errors_doc,
    reason = "each does what its name says and fails as `StoreError` says"
)]
pub trait Once {
    /// Gives whether this is the first time, and remembers it until `until`. What need not be remembered at `now` is forgotten.
    fn use_once(&mut self, digest: &str, until: Timestamp, now: Timestamp) -> Result<bool>;
}
