use sealyard_core::{Digest, Timestamp};

/// One entry of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerEntry {
    /// Its place, from 0.
    pub index: u64,
    /// The event's bytes as they were written.
    pub bytes: Vec<u8>,
    /// RFC 6962 hash of the leaf.
    pub leaf: Digest,
}

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
