use sealyard_core::{Digest, Timestamp};

/// A stored bundle. That it is stored says nothing of its truth: whoever decides verifies it again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EvidenceRecord {
    /// Digest of the bundle's bytes.
    pub digest: Digest,
    /// What it speaks of.
    pub subject: Digest,
    /// Predicate type of the statement, as the bundle says.
    pub predicate_type: String,
    /// The bundle as it arrived.
    pub bundle: String,
    /// When it arrived.
    pub added: Timestamp,
    /// Who brought it.
    pub added_by: String,
}
