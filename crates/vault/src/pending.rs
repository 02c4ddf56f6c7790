use std::fs::File;
use std::io::{self, Write};
use std::mem;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender};

use sealyard_core::{Digest, Hasher};
use zeroize::Zeroizing;

use crate::backend::Staged;
use crate::chunks::{CHUNK, Cipher, GROUP, STRIDE, TAG};
use crate::error::VaultError;
use crate::header::{HEADER, Header};
use crate::helpers;
use crate::keyring::KeyId;
use crate::object_id::ObjectId;
use crate::vault::Inner;

/// Groups of one object that others encrypt and write at once: what bounds its memory.
const UNDER_WAY: usize = 2;

/// An object being written. Encrypts and hashes as the bytes come, in the memory of a few chunks; dropped before it is
/// sealed, it is gone.
///
/// Who writes it hashes it. Another thread encrypts and stores what is large, where one has nothing to do; so an error of the
/// disk may be told by a later write, and at the latest by [`Self::seal`].
#[derive(Debug)]
#[must_use = "a pending object that is dropped is removed"]
pub struct PendingObject {
    pub(crate) target: Staged,
    vault: Arc<Inner>,
    id: ObjectId,
    cipher: Arc<Cipher>,
    group: Group,
    /// Memory to use again.
    spare: Vec<Bytes>,
    given: Given,
    hasher: Hasher,
    size: u64,
    failed: bool,
    /// Whether the id was chosen by somebody, and so may be taken.
    named: bool,
}

type Bytes = Zeroizing<Vec<u8>>;

/// Chunks that follow each other, each with room for its tag behind it. The last one may lack bytes, and lacks that room.
#[derive(Debug)]
struct Group {
    bytes: Bytes,
    /// The first one's number; `None` after the last that can be counted.
    first: Option<u32>,
    /// Those with another one behind them.
    closed: u32,
}

impl Group {
    fn after(first: Option<u32>) -> Self {
        Self { bytes: Zeroizing::new(Vec::new()), first, closed: 0 }
    }

    /// How many chunks it is for. Small objects need no more memory than a chunk's.
    const fn limit(&self) -> u32 {
        match self.first {
            Some(first) if first < GROUP => 1,
            _ => GROUP,
        }
    }

    const fn is_large(&self) -> bool {
        self.limit() > 1
    }

    /// Plain bytes in the last chunk.
    fn filled(&self) -> usize {
        self.bytes.len() - self.closed as usize * STRIDE
    }

    /// Makes room for the last chunk's tag.
    fn close(&mut self) {
        self.closed += 1;
        let end = self.bytes.len() + TAG;
        self.bytes.resize(end, 0);
    }

    /// Encrypts the chunks, all of them closed, and writes them to their place. Gives their memory back.
    fn store(mut self, last: bool, cipher: &Cipher, file: &File, path: &Path) -> Result<Bytes, VaultError> {
        let first = self.first.ok_or(VaultError::TooLarge)?;
        for (chunk, at) in self.bytes.chunks_mut(STRIDE).zip(1..) {
            let index = first.checked_add(at - 1).ok_or(VaultError::TooLarge)?;
            cipher.seal(index, last && at == self.closed, chunk).ok_or(VaultError::Cipher)?;
        }
        let start = HEADER as u64 + u64::from(first) * STRIDE as u64;
        file.write_all_at(&self.bytes, start).map_err(failed("write", path))?;
        // No plain bytes are left in it: each chunk was encrypted where it was.
        self.bytes.clear();
        Ok(self.bytes)
    }
}

/// What others do for an object.
#[derive(Debug)]
struct Given {
    count: usize,
    /// Given up when no more will be: then whoever is gone without a result is not waited for.
    done: Option<Sender<Result<Bytes, VaultError>>>,
    results: Receiver<Result<Bytes, VaultError>>,
}

impl Given {
    fn new() -> Self {
        let (done, results) = mpsc::channel();
        Self { count: 0, done: Some(done), results }
    }

    /// Takes the result of something that is over, or of something that is not when it shall `wait`; `None` when there is none.
    fn take(&mut self, wait: bool) -> Option<Result<Bytes, VaultError>> {
        if self.count == 0 {
            return None;
        }
        let result = if wait { self.results.recv().ok() } else { self.results.try_recv().ok() };
        self.count -= usize::from(result.is_some());
        result
    }
}

impl PendingObject {
    pub(crate) fn new(vault: Arc<Inner>, id: ObjectId, named: bool, with: Option<KeyId>) -> Result<Self, VaultError> {
        let (header, cipher) = Header::new(&id, with, &vault.keyring(), &*vault.rng).ok_or(VaultError::Cipher)?;
        let target = vault.staged()?;
        (&*target.file).write_all(&header.to_bytes()).map_err(failed("write", target.path()))?;
        let (cipher, group, given) = (Arc::new(cipher), Group::after(Some(0)), Given::new());
        let (spare, hasher) = (Vec::new(), Hasher::default());
        Ok(Self { target, vault, id, cipher, group, spare, given, hasher, size: 0, failed: false, named })
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
        self.group.close();
        self.store_group(true)?;
        self.given.done = None;
        while let Some(result) = self.given.take(true) {
            result?;
        }
        if self.given.count > 0 {
            return Err(VaultError::Incomplete { id: self.id });
        }
        self.target.file.sync_all().map_err(failed("sync", self.target.path()))?;
        let Self { target, vault, id, hasher, size, named, .. } = self;
        Ok(SealedObject { id, digest: hasher.finish(), size, target, vault, named })
    }

    /// Encrypts and writes the chunks that there are, or has it done.
    fn store_group(&mut self, last: bool) -> Result<(), VaultError> {
        if mem::replace(&mut self.failed, true) {
            return Err(VaultError::Incomplete { id: self.id });
        }
        while let Some(result) = self.given.take(false) {
            self.spare.push(result?);
        }
        let next = self.group.first.and_then(|first| first.checked_add(self.group.closed));
        let group = mem::replace(&mut self.group, Group::after(next));
        if !last && group.is_large() && self.given.count < UNDER_WAY {
            let (cipher, file) = (Arc::clone(&self.cipher), Arc::clone(&self.target.file));
            let (path, done) = (PathBuf::from(self.target.path()), self.given.done.clone());
            let job = Box::new(move || {
                let result = group.store(false, &cipher, &file, &path);
                // Nobody takes it when the object was dropped.
                done.map(|done| done.send(result).ok());
            });
            self.given.count += 1;
            if let Err(job) = helpers::offer(job) {
                job();
            }
        } else {
            let bytes = group.store(last, &self.cipher, &self.target.file, self.target.path())?;
            self.spare.push(bytes);
        }
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
        if self.group.filled() == CHUNK && !bytes.is_empty() {
            self.group.close();
            if self.group.closed == self.group.limit() {
                self.store_group(false)?;
            }
        }
        let room = self.group.limit() as usize * STRIDE;
        if self.group.bytes.capacity() < room {
            // Never grown in place: that would leave plain bytes behind uncleared.
            let spare = self.spare.pop().filter(|spare| spare.capacity() >= room);
            self.group.bytes = spare.unwrap_or_else(|| Zeroizing::new(Vec::with_capacity(room)));
        }
        let taken = bytes.get(..bytes.len().min(CHUNK - self.group.filled())).unwrap_or_default();
        self.group.bytes.extend_from_slice(taken);
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

pub(crate) fn failed(act: &'static str, path: &Path) -> impl FnOnce(io::Error) -> VaultError {
    move |source| VaultError::Io { act, place: path.display().to_string(), source }
}

#[cfg(test)]
mod tests {
    use std::fs;

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
        pending.target.file = Arc::new(File::open(&pending.target.path).unwrap());
        assert!(pending.write_all(&[2; CHUNK]).is_err());
        let writable = fs::OpenOptions::new().write(true).open(&pending.target.path).unwrap();
        pending.target.file = Arc::new(writable);
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
        pending.target.file = Arc::new(File::open(&pending.target.path).unwrap());
        assert!(matches!(pending.seal(), Err(VaultError::Io { .. })));
        assert_eq!(pending_count(directory.path()), 0);
    }

    #[test]
    fn an_object_with_more_chunks_than_can_be_counted_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let vault = vault(directory.path());
        let mut pending = vault.begin().unwrap();
        pending.group.first = Some(u32::MAX);
        pending.write_all(&[0; CHUNK]).unwrap();
        pending.write_all(&[0; CHUNK]).unwrap();
        assert!(matches!(pending.seal(), Err(VaultError::TooLarge)));
    }

    /// Helpers write behind one's back: what they could not write must be told.
    #[test]
    fn a_large_object_of_which_one_group_was_not_written_can_not_be_sealed() {
        let directory = tempfile::tempdir().unwrap();
        let vault = vault(directory.path());
        let mut pending = vault.begin().unwrap();
        let content = vec![7; 16 * CHUNK];
        pending.write_all(&content).unwrap();
        let good = Arc::clone(&pending.target.file);
        pending.target.file = Arc::new(File::open(&pending.target.path).unwrap());
        // The group that is full now fails; what comes after could be written.
        let _ = pending.write_all(&vec![7; GROUP as usize * CHUNK]);
        pending.target.file = good;
        let _ = pending.write_all(&content);
        assert!(matches!(pending.seal(), Err(VaultError::Io { .. } | VaultError::Incomplete { .. })));
        assert_eq!(pending_count(directory.path()), 0);
    }

    #[test]
    fn an_object_of_any_length_is_read_as_it_was_written() {
        let directory = tempfile::tempdir().unwrap();
        let vault = vault(directory.path());
        for chunks in [0, 1, 3, 4, 5, 7, 8, 9, 12, 13, 41] {
            for (more, step) in [(0, 1 << 20), (1, 70_001), (CHUNK - 1, 256 * 1024)] {
                let content: Vec<u8> = (0..chunks * CHUNK + more).map(|at| (at / 3 + at / CHUNK) as u8).collect();
                let mut pending = vault.begin().unwrap();
                for part in content.chunks(step) {
                    pending.write_all(part).unwrap();
                }
                let sealed = pending.seal().unwrap();
                assert_eq!((sealed.size, sealed.digest), (content.len() as u64, Digest::of(&content)));
                vault.commit(&sealed).unwrap();
                let object = vault.open(&sealed.id).unwrap();
                assert_eq!(object.digest().unwrap(), sealed.digest);
                let mut copied = Vec::new();
                object.copy_to(&mut copied).unwrap();
                assert!(copied == content, "{chunks} {more}");
                assert!(sealyard_core::ReadAt::read_all(&object, u64::MAX).unwrap() == content, "{chunks} {more}");
            }
        }
    }
}
