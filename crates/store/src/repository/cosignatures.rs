use sealyard_core::Timestamp;

use crate::StoreError;

type Result<T> = std::result::Result<T, StoreError>;

/// Cosignatures of witnesses below checkpoints.
#[allow(
    missing_docs,
    clippy::missing_errors_doc,
    reason = "each does what its name says and fails as `StoreError` says"
)]
pub trait Cosignatures {
    /// Keeps the signature line of `witness` below the checkpoint of `size` entries; one that is there stays.
    fn add_cosignature(&mut self, size: u64, witness: &str, line: &str, now: Timestamp) -> Result<()>;
    /// Signature lines below the checkpoint of `size` entries, by the witness's name.
    fn cosignatures(&mut self, size: u64) -> Result<Vec<(String, String)>>;
    /// The largest size that `witness` cosigned.
    fn cosigned_size(&mut self, witness: &str) -> Result<Option<u64>>;
    /// The largest size that at least so many witnesses cosigned.
    fn cosigned_by(&mut self, witnesses: u32) -> Result<Option<u64>>;
    /// The note of the checkpoint of `size` entries.
    fn checkpoint_of(&mut self, size: u64) -> Result<Option<String>>;
}
