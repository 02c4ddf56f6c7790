use sealyard_core::Timestamp;

/// One entry of the log.
pub use sealyard_ledger::Entry as LedgerEntry;

/// A signed checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckpointRecord {
    /// How many entries it covers.
    pub size: u64,
    /// The signed note as text.
    pub note: String,
    /// When it was signed.
    pub created: Timestamp,
}
