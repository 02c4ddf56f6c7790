use sealyard_core::Timestamp;

use crate::StoreError;
use crate::model::{PartedUpload, UploadPart, UploadState};

type Result<T> = std::result::Result<T, StoreError>;

/// Uploads in parts.
#[allow(
    missing_docs,
    clippy::missing_errors_doc,
    reason = "each does what its name says and fails as `StoreError` says"
)]
pub trait Uploads {
    fn begin_upload(&mut self, upload: &PartedUpload) -> Result<()>;
    fn upload(&mut self, id: &str) -> Result<Option<PartedUpload>>;
    /// How many uploads of this principal are not done.
    fn count_open_uploads(&mut self, created_by: &str) -> Result<u64>;
    /// Replaces a part of the same number; gives the object it replaced. An upload that takes no parts any more is a
    /// `Conflict`, and so is one whose parts are together larger than `limit`.
    fn put_upload_part(&mut self, id: &str, part: &UploadPart, limit: u64, now: Timestamp) -> Result<Option<String>>;
    /// In the order of their numbers.
    fn upload_parts(&mut self, id: &str) -> Result<Vec<UploadPart>>;
    /// Says whether it was in the state `from`.
    fn set_upload_state(&mut self, id: &str, from: UploadState, to: UploadState) -> Result<bool>;
    /// Opens all that are being completed; gives how many.
    fn reopen_uploads(&mut self) -> Result<u64>;
    /// Removes the rows of the parts; gives their objects, which are to be released.
    fn remove_upload_parts(&mut self, id: &str) -> Result<Vec<String>>;
    /// With its parts; gives their objects, which are to be released.
    fn remove_upload(&mut self, id: &str) -> Result<Vec<String>>;
    /// Uploads that began before `before`.
    fn uploads_begun_before(&mut self, before: Timestamp, limit: u32) -> Result<Vec<String>>;
}
