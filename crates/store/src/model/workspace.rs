use sealyard_core::Timestamp;

/// The number of the workspace that there is from the beginning.
pub const DEFAULT_WORKSPACE: i64 = 0;

/// A place of its own for experiments, registered models, data sets and webhooks, and for what hangs on them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workspace {
    /// Its number, never reused: what rows are marked with.
    pub number: i64,
    /// Its name, unique.
    pub name: String,
    /// For people.
    pub description: Option<String>,
    /// When it was made.
    pub created: Timestamp,
}

/// What becomes of what is in a workspace that is deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WorkspaceDeletion {
    /// It must be empty.
    Restrict,
    /// It is deleted too.
    Cascade,
    /// It moves to the default workspace, in which none of its names may be taken.
    SetDefault,
}
