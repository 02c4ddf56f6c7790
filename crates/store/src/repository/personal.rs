use sealyard_core::{Digest, Timestamp};
use sealyard_ledger::personal::Kept;

use crate::StoreError;

type Result<T> = std::result::Result<T, StoreError>;

/// What entries of the log say of persons, kept apart so that it can be erased. [`LedgerRecords::record`](crate::LedgerRecords)
/// writes it.
#[allow(
    missing_docs,
    clippy::missing_errors_doc,
    reason = "each does what its name says and fails as `StoreError` says"
)]
pub trait PersonalRecords {
    /// What is kept of an entry that has this digest.
    fn personal(&mut self, digest: &Digest) -> Result<Kept>;
    /// Erases salts and texts of what `actor`, or everybody, did before `before`; gives how many there were.
    fn erase_personal(&mut self, actor: Option<&str>, before: Timestamp) -> Result<u64>;
}
