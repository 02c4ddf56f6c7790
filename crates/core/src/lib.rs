//! Digests, file trees, subjects, severities, clocks, randomness and secrets: the words that every
//! other crate speaks. Nothing in here decides anything.
#![forbid(unsafe_code)]

mod causes;
mod clock;
mod digest;
pub mod durable;
mod encoding;
mod file_tree;
mod read_at;
mod redacted;
mod rng;
mod severity;
mod subject;

pub use causes::with_causes;
pub use clock::{Clock, FixedClock, SystemClock, Timestamp};
pub use digest::{Digest, DigestError, Hasher};
pub use encoding::base62;
pub use file_tree::{FileEntry, FileTree, FileTreeError, TreePath, TreePathError};
pub use read_at::ReadAt;
pub use redacted::Redacted;
pub use rng::{FixedRng, Rng, SystemRng};
pub use severity::{Severity, Verdict};
pub use subject::Subject;
