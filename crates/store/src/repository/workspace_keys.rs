use sealyard_core::Timestamp;

use crate::StoreError;

type Result<T> = std::result::Result<T, StoreError>;

/// The key that the objects of a workspace are under, sealed by the vault.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "each is what its name says")]
pub struct WorkspaceKey {
    pub workspace: i64,
    pub key: String,
    pub sealed: Vec<u8>,
}

/// Keys of workspaces. Their functions do the same in whatever workspace the transaction is.
#[allow(
    missing_docs,
    clippy::missing_errors_doc,
    reason = "each does what its name says and fails as `StoreError` says"
)]
pub trait WorkspaceKeys {
    /// All of them, by workspace; also those of workspaces that are gone and whose objects went elsewhere.
    /// Fails where one was put back, changed or taken away behind the server's back.
    fn workspace_keys(&mut self) -> Result<Vec<WorkspaceKey>>;
    /// Those that are as they were written, whether or not one was put back or taken away: a key that is not among them is gone.
    fn intact_workspace_keys(&mut self) -> Result<Vec<WorkspaceKey>>;
    /// That of one workspace, as it was written; whether it was put back only all of them tell.
    fn workspace_key(&mut self, workspace: i64) -> Result<Option<WorkspaceKey>>;
    /// Keeps a key unless the workspace has one; gives the one that it has then. Fails as [`Self::workspace_keys`] does.
    fn put_workspace_key(&mut self, key: &WorkspaceKey, now: Timestamp) -> Result<WorkspaceKey>;
    /// Removes the key of a workspace; says which it was. Fails as [`Self::workspace_keys`] does.
    fn destroy_workspace_key(&mut self, workspace: i64) -> Result<Option<String>>;
}
