use sealyard_core::Digest;

/// One entry of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its place, from 0.
    pub index: u64,
    /// The event's bytes as they were written.
    pub bytes: Vec<u8>,
    /// RFC 6962 hash of the leaf.
    pub leaf: Digest,
}
