use sealyard_core::Digest;

use crate::StoreError;
use crate::model::EvidenceRecord;

type Result<T> = std::result::Result<T, StoreError>;

/// Evidence by the digest of its subject.
#[allow(
    missing_docs,
    clippy::missing_errors_doc,
    reason = "each does what its name says and fails as `StoreError` says"
)]
pub trait EvidenceRecords {
    /// The same bundle for the same subject a second time changes nothing.
    fn add_evidence(&mut self, record: &EvidenceRecord) -> Result<()>;
    /// In the order of arrival.
    fn evidence_for(&mut self, subject: &Digest) -> Result<Vec<EvidenceRecord>>;
    fn evidence(&mut self, digest: &Digest) -> Result<Option<EvidenceRecord>>;
}
