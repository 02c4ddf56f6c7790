use sealyard_ledger::Event;

use crate::StoreError;
use crate::model::{CheckpointRecord, LedgerEntry};

type Result<T> = std::result::Result<T, StoreError>;

/// The outbox and the log.
#[allow(
    missing_docs,
    clippy::missing_errors_doc,
    reason = "each does what its name says and fails as `StoreError` says"
)]
pub trait LedgerRecords {
    /// Puts the event into the outbox, in this same transaction.
    fn record(&mut self, event: &Event) -> Result<()>;
    /// Up to `limit` outbox rows in their order: row number and event bytes.
    fn outbox(&mut self, limit: u32) -> Result<Vec<(i64, Vec<u8>)>>;
    /// The number of the outbox's last row.
    fn newest_in_outbox(&mut self) -> Result<Option<i64>>;
    /// Appends entries (their index must be the next ones) and removes the outbox rows they were made of.
    fn append_entries(&mut self, entries: &[LedgerEntry], outbox_rows: &[i64]) -> Result<()>;
    fn add_checkpoint(&mut self, checkpoint: &CheckpointRecord) -> Result<()>;
    fn latest_checkpoint(&mut self) -> Result<Option<CheckpointRecord>>;
    fn checkpoints(&mut self) -> Result<Vec<CheckpointRecord>>;
    /// Entries from `from` on, by the index that is stored with them.
    fn entries(&mut self, from: u64, limit: u32) -> Result<Vec<LedgerEntry>>;
    fn entry_count(&mut self) -> Result<u64>;
}
