use std::io::{self, Write};
use std::mem;
use std::sync::Arc;

use sealyard_core::{Digest, Hasher};
use zeroize::Zeroizing;

use crate::backend::Staged;
use crate::chunks::{CHUNK, Cipher, TAG};
use crate::error::VaultError;
use crate::header::Header;
use crate::keyring::KeyId;
use crate::object_id::ObjectId;
use crate::vault::Inner;

/// An object being written. Encrypts and hashes as the bytes come, in the memory of one chunk; dropped before it is
/// sealed, it is gone.
#[derive(Debug)]
#[must_use = "a pending object that is dropped is removed"]
pub struct PendingObject {
    pub(crate) target: Staged,
    vault: Arc<Inner>,
    id: ObjectId,
    cipher: Cipher,
    buffer: Zeroizing<Vec<u8>>,
    /// The next chunk's number; `None` after the last that can be counted.
    next: Option<u32>,
    hasher: Hasher,
    size: u64,
    failed: bool,
    /// Whether the id was chosen by somebody, and so may be taken.
    named: bool,
}

impl PendingObject {
    pub(crate) fn new(vault: Arc<Inner>, id: ObjectId, named: bool, with: Option<KeyId>) -> Result<Self, VaultError> {
        let (header, cipher) = Header::new(&id, with, &vault.keyring(), &*vault.rng).ok_or(VaultError::Cipher)?;
        let target = vault.staged()?;
        (&target.file).write_all(&header.to_bytes()).map_err(failed("write", &target))?;
        let buffer = Zeroizing::new(Vec::with_capacity(CHUNK + TAG));
        let hasher = Hasher::default();
        Ok(Self { target, vault, id, cipher, buffer, next: Some(0), hasher, size: 0, failed: false, named })
    }

    /// The id it will have.
    #[must_use]
    pub const fn id(&self) -> ObjectId {
        self.id
    }

    /// How many bytes were written so far.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Writes the last chunk and waits until all is on the disk, still in the pending area.
    ///
    /// # Errors
    /// Any error of the disk, also of an earlier write; nothing is left then.
    pub fn seal(mut self) -> Result<SealedObject, VaultError> {
        self.write_chunk(true)?;
        self.target.file.sync_all().map_err(failed("sync", &self.target))?;
        let Self { target, vault, id, hasher, size, named, .. } = self;
        Ok(SealedObject { id, digest: hasher.finish(), size, target, vault, named })
    }

    fn write_chunk(&mut self, last: bool) -> Result<(), VaultError> {
        if mem::replace(&mut self.failed, true) {
            return Err(VaultError::Incomplete { id: self.id });
        }
        let index = self.next.ok_or(VaultError::TooLarge)?;
        self.cipher.seal(index, last, &mut self.buffer).ok_or(VaultError::Cipher)?;
        (&self.target.file).write_all(&self.buffer).map_err(failed("write", &self.target))?;
        self.buffer.clear();
        self.next = index.checked_add(1);
        self.failed = false;
        Ok(())
    }
}

impl Write for PendingObject {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.failed {
            return Err(VaultError::Incomplete { id: self.id }.into());
        }
        // A full chunk waits until more comes: only then is it known not to be the last.
        if self.buffer.len() == CHUNK && !bytes.is_empty() {
            self.write_chunk(false)?;
        }
        let taken = bytes.get(..bytes.len().min(CHUNK - self.buffer.len())).unwrap_or_default();
        self.buffer.extend_from_slice(taken);
        self.hasher.update(taken);
        self.size += taken.len() as u64;
        Ok(taken.len())
    }

    /// Does nothing: what is not a whole chunk can't be encrypted yet.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// An object that is whole and on the disk, but pending: it can be read with [`Vault::open_sealed`] and becomes one of
/// the vault's with [`Vault::commit`]. Dropped before that, it is gone.
///
/// [`Vault::open_sealed`]: crate::Vault::open_sealed
/// [`Vault::commit`]: crate::Vault::commit
#[derive(Debug)]
#[must_use = "a sealed object that is dropped without a commit is removed"]
#[non_exhaustive]
pub struct SealedObject {
    /// What it is found by.
    pub id: ObjectId,
    /// SHA-256 of the plain bytes.
    pub digest: Digest,
    /// How many plain bytes there are.
    pub size: u64,
    pub(crate) target: Staged,
    pub(crate) vault: Arc<Inner>,
    pub(crate) named: bool,
}

pub(crate) fn failed(act: &'static str, staged: &Staged) -> impl FnOnce(io::Error) -> VaultError {
    let place = staged.path().display().to_string();
    move |source| VaultError::Io { act, place, source }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};
    use std::path::Path;

    use sealyard_core::SystemRng;

    use super::*;
    use crate::{Keyring, Vault};

    fn vault(directory: &Path) -> Vault {
        let keyring = Keyring::open_or_create(&directory.join("keys"), &SystemRng).unwrap();
        Vault::open_or_create(&directory.join("vault"), keyring, Arc::new(SystemRng)).unwrap()
    }

    fn pending_count(directory: &Path) -> usize {
        fs::read_dir(directory.join("vault/pending")).unwrap().count()
    }

    /// A handle that can't be written stands in for a full disk: the same call fails at the same place.
    #[test]
    fn a_write_that_fails_leaves_nothing_and_can_not_be_sealed() {
        let directory = tempfile::tempdir().unwrap();
        let vault = vault(directory.path());
        let mut pending = vault.begin().unwrap();
        pending.write_all(&[1; CHUNK]).unwrap();
        pending.target.file = File::open(&pending.target.path).unwrap();
        assert!(pending.write_all(&[2; CHUNK]).is_err());
        pending.target.file = fs::OpenOptions::new().append(true).open(&pending.target.path).unwrap();
        let again = pending.write(&[3]).unwrap_err();
        assert!(matches!(VaultError::within(&again), Some(VaultError::Incomplete { .. })));
        assert!(matches!(pending.seal(), Err(VaultError::Incomplete { .. })));
        assert_eq!(pending_count(directory.path()), 0);
    }

    #[test]
    fn a_seal_that_fails_leaves_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let vault = vault(directory.path());
        let mut pending = vault.begin().unwrap();
        pending.write_all(b"content").unwrap();
        pending.target.file = File::open(&pending.target.path).unwrap();
        assert!(matches!(pending.seal(), Err(VaultError::Io { .. })));
        assert_eq!(pending_count(directory.path()), 0);
    }

    #[test]
    fn an_object_with_more_chunks_than_can_be_counted_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let vault = vault(directory.path());
        let mut pending = vault.begin().unwrap();
        pending.next = Some(u32::MAX);
        pending.write_all(&[0; CHUNK]).unwrap();
        pending.write_all(&[0; CHUNK]).unwrap();
        assert!(matches!(pending.seal(), Err(VaultError::TooLarge)));
    }
}
