use crate::StoreError;
use crate::model::{Artifact, ArtifactOwner};

type Result<T> = std::result::Result<T, StoreError>;

/// Uploaded files.
#[allow(
    missing_docs,
    clippy::missing_errors_doc,
    reason = "each does what its name says and fails as `StoreError` says"
)]
pub trait Artifacts {
    /// Replaces one of the same owner and path; gives the object it replaced. A finalised logged model is a `Conflict`, and so
    /// is a file where a directory is, or below a file; and so is replacing a file that became part of a version, or adding
    /// one to a run's directory that became a version of that run (its `run_id`).
    fn put_artifact(&mut self, artifact: &Artifact) -> Result<Option<String>>;
    fn artifact(&mut self, owner: &ArtifactOwner, path: &str) -> Result<Option<Artifact>>;
    /// All whose path is `prefix` or lies below it, by path; an empty prefix is all of the owner's.
    fn artifacts_below(&mut self, owner: &ArtifactOwner, prefix: &str) -> Result<Vec<Artifact>>;
    /// How many rows `artifacts_below` would give.
    fn count_artifacts_below(&mut self, owner: &ArtifactOwner, prefix: &str) -> Result<u64>;
    /// Removes the rows as `artifacts_below` finds them; gives how many. A finalised logged model is a `Conflict`, and so is
    /// a file that became part of a version: then nothing is removed.
    fn delete_artifacts_below(&mut self, owner: &ArtifactOwner, prefix: &str) -> Result<u64>;
    /// Whether any artifact, version or upload refers to the vault's object, or to one that shares its bytes.
    fn object_is_referenced(&mut self, object: &str) -> Result<bool>;
}
