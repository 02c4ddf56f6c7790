//! Files of a verified model, each hashed again as it is read.

use std::io::{self, Read};
use std::path::PathBuf;

use sealyard_core::{Digest, FileTree, Hasher, TreePath};

use crate::LoadError;

/// Largest model file that is read into memory.
pub(crate) const MAX_FILE_BYTES: u64 = 2 << 30;

/// Where a model's files are.
pub trait FileSource {
    /// Opens a file for one reading from its beginning.
    ///
    /// # Errors
    /// `NotFound` when it is not there; any error below.
    fn open(&self, path: &TreePath) -> io::Result<Box<dyn Read + '_>>;
}

/// A model's files in a folder of this machine.
#[derive(Debug, Clone)]
pub struct Folder(pub PathBuf);

impl FileSource for Folder {
    fn open(&self, path: &TreePath) -> io::Result<Box<dyn Read + '_>> {
        let path = self.0.join(path);
        // A pipe would block for ever, and a device never end.
        if !std::fs::metadata(&path)?.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file"));
        }
        Ok(Box::new(std::fs::File::open(path)?))
    }
}

/// Reads one file that `tree` lists with at most `limit` bytes, wholly, and compares size and digest with what `tree` says.
///
/// # Errors
/// [`LoadError::NotInManifest`], [`LoadError::Missing`], [`LoadError::FileDigest`], [`LoadError::TooLarge`] or
/// [`LoadError::Read`]. The bytes of a file that differs are never given out.
pub fn read(tree: &FileTree, files: &dyn FileSource, path: &TreePath, limit: u64) -> Result<Vec<u8>, LoadError> {
    let entry = tree.get(path).ok_or_else(|| LoadError::NotInManifest(path.clone()))?;
    if entry.size > limit {
        return Err(LoadError::TooLarge { path: path.clone(), size: entry.size });
    }
    let reader = files.open(path).map_err(|source| match source.kind() {
        io::ErrorKind::NotFound => LoadError::Missing(path.clone()),
        _ => LoadError::Read { path: path.clone(), source },
    })?;
    let mut bytes = Vec::new();
    // One byte more than listed shows that the file has grown, without reading what else was put there.
    let mut bounded = reader.take(entry.size + 1);
    bounded.read_to_end(&mut bytes).map_err(|source| LoadError::Read { path: path.clone(), source })?;
    let mut hasher = Hasher::default();
    hasher.update(&bytes);
    let found: Digest = hasher.finish();
    if bytes.len() as u64 != entry.size || found != entry.digest {
        return Err(LoadError::FileDigest { path: path.clone(), expected: entry.digest, found });
    }
    Ok(bytes)
}
