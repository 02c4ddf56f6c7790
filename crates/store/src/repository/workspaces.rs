use sealyard_core::Timestamp;

use crate::StoreError;
use crate::model::{Workspace, WorkspaceDeletion};

type Result<T> = std::result::Result<T, StoreError>;

/// Workspaces. Their functions do the same in whatever workspace the transaction is.
#[allow(
    missing_docs,
    clippy::missing_errors_doc,
    reason = "each does what its name says and fails as `StoreError` says"
)]
pub trait Workspaces {
    fn create_workspace(&mut self, name: &str, description: Option<&str>, now: Timestamp) -> Result<Workspace>;
    fn workspace_named(&mut self, name: &str) -> Result<Option<Workspace>>;
    /// By name.
    fn workspaces(&mut self) -> Result<Vec<Workspace>>;
    fn describe_workspace(&mut self, name: &str, description: Option<&str>) -> Result<Workspace>;
    /// With its roles, and the grants that speak of it or of what is in it; those on a thing that moves move with it. A
    /// `Conflict` when it is not as the way of deletion wants it; so is the default workspace. Of `Cascade`, a model with
    /// published versions is a `Conflict` too.
    fn delete_workspace(&mut self, name: &str, how: WorkspaceDeletion) -> Result<()>;
}
