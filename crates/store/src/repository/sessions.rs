use sealyard_core::Timestamp;

use crate::StoreError;
use crate::model::SessionRecord;

type Result<T> = std::result::Result<T, StoreError>;

/// Browsers' sessions. They end with their user, and when its password changes.
#[allow(
    missing_docs,
    clippy::missing_errors_doc,
    reason = "each does what its name says and fails as `StoreError` says"
)]
pub trait Sessions {
    fn create_session(&mut self, session: &SessionRecord) -> Result<()>;
    fn session_by_hash(&mut self, hash: &str) -> Result<Option<SessionRecord>>;
    /// Oldest first.
    fn sessions_of(&mut self, owner: &str) -> Result<Vec<SessionRecord>>;
    /// Those that the provider began: its session of this name, its sessions of this user, or all. Oldest first.
    fn sessions_of_provider(
        &mut self,
        provider: &str,
        external: Option<&str>,
        owner: Option<&str>,
    ) -> Result<Vec<SessionRecord>>;
    /// Notes the last use; an earlier moment than the noted one changes nothing.
    fn session_seen(&mut self, hash: &str, at: Timestamp) -> Result<()>;
    /// Gives whether there was one.
    fn end_session(&mut self, hash: &str) -> Result<bool>;
    /// Removes the sessions that expired by `now` or were not used since `idle_since`; gives how many.
    fn remove_old_sessions(&mut self, now: Timestamp, idle_since: Timestamp) -> Result<usize>;
}
