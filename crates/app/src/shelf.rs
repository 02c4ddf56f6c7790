//! The objects of a folder while it is scanned.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use sealyard_core::{FileEntry, ReadAt, TreePath};
use sealyard_vault::{ObjectId, VaultError};

use crate::AppError;
use crate::objects::{Objects, StoredFile};

/// Objects that are open at once: each takes a file descriptor and the memory of a chunk or two, and a model may have
/// thousands.
const OPEN: usize = 32;

/// A file as the scanner takes it.
type File = (TreePath, Arc<dyn ReadAt>);

/// Opens objects as they are read and closes those read longest ago.
#[derive(Debug, Clone)]
pub(crate) struct Shelf {
    objects: Objects,
    open: Arc<Mutex<VecDeque<Arc<StoredFile>>>>,
}

impl Shelf {
    pub(crate) fn new(objects: Objects) -> Self {
        Self { objects, open: Arc::default() }
    }

    /// Reads every object once and compares it with its entry, so that what is scanned is what the tree says, and not what
    /// somebody with the key put in its place.
    ///
    /// # Errors
    /// [`AppError::Refused`] (`artifact.digest`) for other bytes; [`AppError::Vault`] for what can't be read;
    /// [`AppError::Conflict`] for an object that is gone.
    pub(crate) fn put(&self, objects: &[(FileEntry, ObjectId)]) -> Result<Vec<File>, AppError> {
        let mut files = Vec::with_capacity(objects.len());
        for (entry, id) in objects {
            let object = self.object(*id).map_err(|error| match error {
                AppError::Vault(VaultError::Missing { .. }) => {
                    AppError::Conflict(format!("{} was replaced or removed", entry.path))
                }
                error => error,
            })?;
            if object.size() != entry.size || object.digest()? != entry.digest {
                let reason = format!("the stored content of {} is not what was uploaded", entry.path);
                return Err(AppError::refused("artifact.digest", reason));
            }
            let book: Arc<dyn ReadAt> = Arc::new(Book { shelf: self.clone(), id: *id, size: entry.size });
            files.push((entry.path.clone(), book));
        }
        Ok(files)
    }

    fn object(&self, id: ObjectId) -> Result<Arc<StoredFile>, AppError> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(place) = open.iter().position(|object| object.name() == id)
            && let Some(object) = open.remove(place)
        {
            open.push_back(Arc::clone(&object));
            return Ok(object);
        }
        let object = Arc::new(self.objects.open(id)?);
        if open.len() >= OPEN {
            open.pop_front();
        }
        open.push_back(Arc::clone(&object));
        Ok(object)
    }
}

/// One object of a shelf.
struct Book {
    shelf: Shelf,
    id: ObjectId,
    size: u64,
}

impl ReadAt for Book {
    fn size(&self) -> u64 {
        self.size
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let object = self.shelf.object(self.id).map_err(|error| match error {
            AppError::Vault(error) => error.into(),
            error => io::Error::other(error),
        })?;
        object.read_at(offset, buffer)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use sealyard_core::{FileEntry, SystemRng};
    use sealyard_vault::{Keyring, Vault};

    use super::*;

    #[test]
    fn few_objects_are_open_and_all_can_be_read() {
        let directory = tempfile::tempdir().unwrap();
        let keyring = Keyring::open_or_create(&directory.path().join("keys"), &SystemRng).unwrap();
        let vault = Vault::open_or_create(&directory.path().join("vault"), keyring, Arc::new(SystemRng)).unwrap();
        let mut objects = Vec::new();
        for number in 0..100 {
            let mut pending = vault.begin().unwrap();
            write!(pending, "content {number}").unwrap();
            let sealed = pending.seal().unwrap();
            vault.commit(&sealed).unwrap();
            let path = TreePath::new(&format!("f{number}")).unwrap();
            let entry = FileEntry { path, size: sealed.size, digest: sealed.digest, executable: false };
            objects.push((entry, sealed.id));
        }
        let shelf = Shelf::new(Objects::unshared(vault));
        let files = shelf.put(&objects).unwrap();
        for (number, (_, file)) in files.iter().enumerate().rev() {
            assert_eq!(file.read_all(100).unwrap(), format!("content {number}").into_bytes());
            assert!(shelf.open.lock().unwrap().len() <= OPEN);
        }
    }
}
