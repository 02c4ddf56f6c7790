//! Where the encrypted bytes lie: a seam below the format, so that format, keys and checks are the same everywhere.

mod local;
mod remote;
mod staged;
mod url;

use std::fmt;
use std::io;

use sealyard_core::{ReadAt, Timestamp};

use crate::object_id::ObjectId;

pub use local::LocalBackend;
pub use remote::RemoteBackend;
pub use staged::Staged;
pub(crate) use staged::is_at;
pub use url::{ArtifactsUrl, ArtifactsUrlError, Service};

/// What is known of a stored object without opening it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listed {
    /// Which object.
    pub id: ObjectId,
    /// Bytes that it takes, encrypted.
    pub size: u64,
    /// When it was stored, by the clock of whoever stores it.
    pub stored: Timestamp,
}

/// Keeps encrypted objects. It is believed in nothing but what a later read can check: the vault authenticates all
/// that comes out of it.
///
/// The calls block, for seconds if need be: they are made on threads that serve nobody else. Errors are of
/// [`std::io`]: [`NotFound`](io::ErrorKind::NotFound) means that there is no such object, and nothing else may.
pub trait ObjectBackend: fmt::Debug + Send + Sync {
    /// Whether several servers may store here at once.
    fn is_shared(&self) -> bool {
        true
    }

    /// How errors and logs name the object.
    fn place(&self, id: &ObjectId) -> String;

    /// Makes a staged file the object `id`, in place of one that is there: whole and durable when this returns, and
    /// never half of it visible. The file may be moved away.
    ///
    /// # Errors
    /// Any; there is no new object then, or nobody knows, and the caller treats it as not there.
    fn put(&self, id: &ObjectId, staged: &Staged) -> io::Result<()>;

    /// Opens an object for reading anywhere.
    ///
    /// # Errors
    /// `NotFound`; `InvalidData` for what can be no object, such as a pipe; any other that means "try again".
    fn open(&self, id: &ObjectId) -> io::Result<Box<dyn ReadAt>>;

    /// What is known of an object; `None` when it is not there.
    ///
    /// # Errors
    /// Any other than that it is not there.
    fn head(&self, id: &ObjectId) -> io::Result<Option<Listed>>;

    /// Shows all objects, in no order; gives how many things are there that are none.
    ///
    /// # Errors
    /// Any, also of `visit`.
    fn list(&self, visit: &mut dyn FnMut(Listed) -> io::Result<()>) -> io::Result<usize>;

    /// Removes an object for good; says whether it was there, as far as that is known.
    ///
    /// # Errors
    /// Any other than that it is not there.
    fn delete(&self, id: &ObjectId) -> io::Result<bool>;

    /// The text that says which vault this is; `None` for a new one.
    ///
    /// # Errors
    /// Any.
    fn marker(&self) -> io::Result<Option<Vec<u8>>>;

    /// Writes that text; where another server was faster, its text stays.
    ///
    /// # Errors
    /// Any.
    fn write_marker(&self, text: &[u8]) -> io::Result<()>;
}

/// Why a storage service did not do what it was asked for. What it says itself may have names of keys and buckets in it
/// but no credentials.
#[derive(Debug, thiserror::Error)]
#[error("the artifact storage did not answer as it should: {0}")]
pub(crate) struct Unavailable(pub(crate) String);

impl Unavailable {
    pub(crate) fn is(error: &io::Error) -> bool {
        error.get_ref().is_some_and(|inner| inner.is::<Self>())
    }
}
