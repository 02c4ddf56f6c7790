use sealyard_core::Timestamp;

use crate::StoreError;
use crate::model::{ModelVersion, NewVersionRecord};

type Result<T> = std::result::Result<T, StoreError>;

/// Versions of which the catalog has no files: prompts, and notes of models that are kept elsewhere.
pub trait VersionRecords {
    /// Makes a version without files. It has no file tree that a gate could decide about:
    /// [`Registry::model_version_files`](crate::Registry::model_version_files) is a `Conflict` for it.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] without such a registered model.
    fn record_model_version(&mut self, new: &NewVersionRecord) -> Result<ModelVersion>;

    /// Notes that something of a registered model changed, such as that one of its versions went.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] without such a registered model.
    fn registered_model_changed(&mut self, name: &str, now: Timestamp) -> Result<()>;
}
