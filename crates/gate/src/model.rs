use sealyard_core::{FileTree, Subject};

use crate::decision::Decision;

/// A model that the load gate let through: its manifest and the decision. Whoever reads its files compares each with
/// the manifest again.
///
/// Made by [`Decision::into_verified_model`] only.
#[derive(Debug, Clone)]
pub struct VerifiedModel {
    tree: FileTree,
    decision: Decision,
}

impl VerifiedModel {
    pub(crate) const fn new(tree: FileTree, decision: Decision) -> Self {
        Self { tree, decision }
    }

    /// Its files: paths, sizes and digests.
    #[must_use]
    pub const fn tree(&self) -> &FileTree {
        &self.tree
    }

    /// What it is.
    #[must_use]
    pub fn subject(&self) -> &Subject {
        self.decision.subject()
    }

    /// Why it may be loaded.
    #[must_use]
    pub const fn decision(&self) -> &Decision {
        &self.decision
    }
}
