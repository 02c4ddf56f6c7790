use serde::{Deserialize, Serialize};

use crate::Digest;

/// Something with a digest: a model, a data set, a wheel, an image, a commit.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Subject {
    /// What people call it, such as `models:/diabetes/1`. Never what a decision rests on.
    pub name: String,
    /// What it is. For a model, the digest of its [`FileTree`](crate::FileTree).
    pub digest: Digest,
}
