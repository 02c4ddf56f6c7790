use crate::StoreError;

type Result<T> = std::result::Result<T, StoreError>;

/// The setting that says until when backups copy objects: none is removed before. See [`crate::backup_hold`].
pub const BACKUP_HOLD: &str = "backup-hold";

/// Small facts about this server, such as the ledger's origin.
#[allow(
    missing_docs,
    clippy::missing_errors_doc,
    reason = "each does what its name says and fails as `StoreError` says"
)]
pub trait Settings {
    fn setting(&mut self, key: &str) -> Result<Option<String>>;
    fn put_setting(&mut self, key: &str, value: &str) -> Result<()>;
}
