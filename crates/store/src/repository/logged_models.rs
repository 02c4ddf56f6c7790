use sealyard_core::{Digest, Timestamp};

use crate::StoreError;
use crate::model::{LoggedModel, LoggedModelQuery, LoggedModelStatus, NewLoggedModel, Page, Pair};

type Result<T> = std::result::Result<T, StoreError>;

/// Logged models.
#[allow(
    missing_docs,
    clippy::missing_errors_doc,
    reason = "each does what its name says and fails as `StoreError` says"
)]
pub trait LoggedModels {
    fn create_logged_model(&mut self, new: &NewLoggedModel) -> Result<LoggedModel>;
    fn logged_model(&mut self, id: &str) -> Result<Option<LoggedModel>>;
    /// Freezes its files under `tree` when it becomes ready; a second time is a `Conflict`, but what is ready may be said to
    /// have failed after all. It stays frozen then.
    fn finalise_logged_model(
        &mut self,
        id: &str,
        status: LoggedModelStatus,
        message: &str,
        tree: Option<Digest>,
        now: Timestamp,
    ) -> Result<LoggedModel>;
    fn set_logged_model_tags(&mut self, id: &str, tags: &[Pair], now: Timestamp) -> Result<()>;
    fn delete_logged_model_tag(&mut self, id: &str, key: &str) -> Result<()>;
    fn log_logged_model_params(&mut self, id: &str, params: &[Pair]) -> Result<()>;
    fn delete_logged_model(&mut self, id: &str, now: Timestamp) -> Result<()>;
    fn search_logged_models(&mut self, query: &LoggedModelQuery) -> Result<Page<LoggedModel>>;
}
