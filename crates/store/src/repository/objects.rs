use sealyard_core::Timestamp;

use crate::StoreError;
use crate::model::{NewObject, ObjectUse};

type Result<T> = std::result::Result<T, StoreError>;

/// Which bytes of the vault are needed, and by whom.
///
/// An object is named by artifacts, versions and parts of uploads. Each has bytes of its own at first; where another of
/// the same workspace has the same content, it can be made to share that one's. What decides is always a row that the
/// deciding transaction holds, so that an object can't be removed and referred to at once, whichever server does what.
#[allow(
    missing_docs,
    clippy::missing_errors_doc,
    reason = "each does what its name says and fails as `StoreError` says"
)]
pub trait Objects {
    /// The object whose bytes are those of `object`: itself, or the one it shares.
    fn bytes_of_object(&mut self, object: &str) -> Result<String>;
    /// Objects that were not compared yet, oldest first.
    fn new_objects(&mut self, limit: u32) -> Result<Vec<NewObject>>;
    /// Notes that `object` is the first of its content: others may share its bytes from now on.
    fn keep_object(&mut self, object: &str) -> Result<()>;
    /// Notes that the bytes of `object` are not what they should be: nobody shares them.
    fn distrust_object(&mut self, object: &str) -> Result<()>;
    /// Lets `object` have the bytes of `twin`; says whether that could be: both must still be in use, the twin one that is
    /// kept, and nobody may share the bytes of `object`. Its own bytes are to be removed then.
    fn share_object(&mut self, object: &str, twin: &str, now: Timestamp) -> Result<bool>;
    /// Notes that a row with `object` went away. Gives the objects whose bytes nobody needs any more, and that nobody can
    /// refer to from now on; they are to be removed once this is committed.
    fn release_object(&mut self, object: &str, now: Timestamp) -> Result<Vec<String>>;
    /// What the catalog knows of objects that were found in the vault.
    fn object_uses(&mut self, objects: &[String]) -> Result<Vec<ObjectUse>>;
    /// Sees to it that no row can be written for an object that has none; says whether it had none.
    fn retire_unknown_object(&mut self, object: &str, now: Timestamp) -> Result<bool>;
    /// Objects that share bytes and that nothing refers to any more.
    fn unused_sharers(&mut self, limit: u32) -> Result<Vec<String>>;
    /// Forgets objects that were removed before `before`; gives how many.
    fn forget_retired_objects(&mut self, before: Timestamp) -> Result<u64>;
}
