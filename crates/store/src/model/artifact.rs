use sealyard_core::{Digest, Timestamp, TreePath, Verdict};

/// What an artifact belongs to, and so which grants protect it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ArtifactOwner {
    /// A run, by id.
    Run(String),
    /// A logged model, by id.
    LoggedModel(String),
    /// A trace, by id.
    Trace(String),
    /// Nothing: it lies loose, outside of every experiment.
    Loose,
}

/// A file that a client uploaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Artifact {
    /// What it belongs to.
    pub owner: ArtifactOwner,
    /// Where it lies below the owner's artifact root.
    pub path: TreePath,
    /// The vault's name of its bytes.
    pub object: String,
    /// SHA-256 of the plain bytes.
    pub digest: Digest,
    /// Size of the plain bytes.
    pub size: u64,
    /// What the scan on arrival said.
    pub verdict: Verdict,
    /// When it arrived.
    pub created: Timestamp,
    /// The authenticated principal that sent it.
    pub created_by: String,
}
