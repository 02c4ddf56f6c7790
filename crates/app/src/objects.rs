//! Objects as the catalog names them, each with the bytes that are its now.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use sealyard_core::{Digest, ReadAt};
use sealyard_store::Store;
use sealyard_vault::{Object, ObjectId, Vault, VaultError};
use tokio::runtime::Handle;

use crate::AppError;
use crate::artifacts::of_vault;

/// Opens objects by the names that rows have for them. Several objects of one content share the bytes of one, and which
/// one that is may change while somebody reads.
#[derive(Debug, Clone)]
pub(crate) struct Objects {
    vault: Vault,
    /// Where it is asked whose bytes an object has, and from where; without it each has its own.
    catalog: Option<(Arc<dyn Store>, Handle)>,
}

impl Objects {
    pub(crate) fn new(vault: Vault, store: Arc<dyn Store>) -> Self {
        Self { vault, catalog: Some((store, Handle::current())) }
    }

    #[cfg(test)]
    pub(crate) const fn unshared(vault: Vault) -> Self {
        Self { vault, catalog: None }
    }

    /// Opens an object. Waits for the catalog: for threads that serve nobody else.
    ///
    /// # Errors
    /// [`AppError::Vault`]; [`AppError::Store`].
    pub(crate) fn open(&self, name: ObjectId) -> Result<StoredFile, AppError> {
        let (bytes, object) = self.reopen(name, None)?;
        let size = object.size();
        Ok(StoredFile { objects: self.clone(), name, size, open: Mutex::new((bytes, Arc::new(object))) })
    }

    fn reopen(&self, name: ObjectId, mut missed: Option<ObjectId>) -> Result<(ObjectId, Object), AppError> {
        loop {
            let bytes = self.bytes_of(name)?;
            if missed == Some(bytes) {
                return Err(AppError::Vault(VaultError::Missing { id: bytes }));
            }
            match self.vault.open(&bytes) {
                Ok(object) => return Ok((bytes, object)),
                // Given up for the bytes of another since the catalog was asked; it knows of which one.
                Err(VaultError::Missing { .. }) => missed = Some(bytes),
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn bytes_of(&self, name: ObjectId) -> Result<ObjectId, AppError> {
        let Some((store, runtime)) = &self.catalog else { return Ok(name) };
        let text = name.to_string();
        let found = runtime.block_on(store.read(move |tx| Ok::<_, AppError>(tx.bytes_of_object(&text)?)))?;
        found.parse().map_err(|error| AppError::internal("a row names no object", error))
    }
}

/// An object, open for reading anywhere.
#[derive(Debug)]
pub(crate) struct StoredFile {
    objects: Objects,
    name: ObjectId,
    size: u64,
    open: Mutex<(ObjectId, Arc<Object>)>,
}

impl StoredFile {
    /// As the catalog names it.
    pub(crate) const fn name(&self) -> ObjectId {
        self.name
    }

    /// SHA-256 of the plain bytes as they are now.
    pub(crate) fn digest(&self) -> Result<Digest, AppError> {
        match self.current().digest() {
            Err(VaultError::Missing { .. }) => Ok(self.moved()?.digest()?),
            result => Ok(result?),
        }
    }

    fn current(&self) -> Arc<Object> {
        Arc::clone(&self.open.lock().unwrap_or_else(PoisonError::into_inner).1)
    }

    /// The same content where it lies now. Whoever needs the right bytes compares their digest, as before.
    fn moved(&self) -> Result<Arc<Object>, AppError> {
        let missed = self.open.lock().unwrap_or_else(PoisonError::into_inner).0;
        let (bytes, object) = self.objects.reopen(self.name, Some(missed))?;
        if object.size() != self.size {
            return Err(AppError::refused("artifact.digest", "the content was exchanged"));
        }
        let object = Arc::new(object);
        *self.open.lock().unwrap_or_else(PoisonError::into_inner) = (bytes, Arc::clone(&object));
        Ok(object)
    }
}

impl ReadAt for StoredFile {
    fn size(&self) -> u64 {
        self.size
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        match self.current().read_at(offset, buffer) {
            Err(error) if matches!(VaultError::within(&error), Some(VaultError::Missing { .. })) => {
                let object = self.moved().map_err(|error| match error {
                    AppError::Vault(error) => error.into(),
                    error => io::Error::other(error),
                })?;
                object.read_at(offset, buffer)
            }
            result => result,
        }
    }
}

/// What reading an object failed of.
pub(crate) fn unreadable(error: io::Error) -> AppError {
    match error.downcast::<AppError>() {
        Ok(error) => error,
        Err(error) => of_vault(error),
    }
}
