use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use sealyard_core::{Digest, Hasher, ReadAt};
use zeroize::Zeroizing;

use crate::chunks::{CHUNK, Cipher, Layout, TAG};
use crate::error::VaultError;
use crate::header::{HEADER, Header};
use crate::keyring::Keyring;
use crate::object_id::ObjectId;

/// A stored object, open for reading anywhere. Only authentic bytes ever come out of it.
///
/// Many threads can read one at once. A read decrypts the chunks it touches; the last chunk, where a zip has its
/// directory, and the one read last are kept.
#[derive(Debug)]
pub struct Object {
    id: ObjectId,
    path: PathBuf,
    file: File,
    cipher: Cipher,
    layout: Layout,
    tail: Chunk,
    recent: Mutex<Option<(u32, Chunk)>>,
}

type Chunk = Zeroizing<Vec<u8>>;

impl Object {
    /// Believes nothing of the file: not the header before its key unwraps, nor the length before the last chunk is
    /// authentic.
    pub(crate) fn open(path: &Path, id: ObjectId, keyring: &Keyring) -> Result<Self, VaultError> {
        let failed = |act, source| VaultError::Io { act, path: path.to_owned(), source };
        let refused = |reason| VaultError::Authentication { id, reason };
        let missing = |source: io::Error| match source.kind() {
            io::ErrorKind::NotFound => VaultError::Missing { id },
            _ => failed("open", source),
        };
        // Before it is opened, too: opening a pipe that somebody put there would wait for ever.
        if !path.symlink_metadata().map_err(missing)?.is_file() {
            return Err(refused("it is not a regular file"));
        }
        let file = File::open(path).map_err(missing)?;
        let metadata = file.metadata().map_err(|source| failed("read", source))?;
        if !metadata.is_file() {
            return Err(refused("it is not a regular file"));
        }
        let body = metadata.len().checked_sub(HEADER as u64).ok_or_else(|| refused("it is too short"))?;
        let header = read_header(&file).map_err(|source| failed("read", source))?;
        let header = header.ok_or_else(|| refused("its header is not one"))?;
        if !keyring.contains(header.key()) {
            return Err(refused("its key is not in the key file"));
        }
        let cipher = header.cipher(&id, keyring).ok_or_else(|| refused("its header does not belong to it"))?;
        let layout = Layout::of_body(body).ok_or_else(|| refused("its length is not one that an object has"))?;
        let mut object =
            Self { id, path: path.to_owned(), file, cipher, layout, tail: Chunk::default(), recent: Mutex::default() };
        object.tail = object.decrypt(layout.last, Chunk::default())?;
        Ok(object)
    }

    /// Which object it is.
    #[must_use]
    pub const fn id(&self) -> ObjectId {
        self.id
    }

    /// How many plain bytes there are.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.layout.size
    }

    /// Writes all plain bytes to `output`, each chunk once it is authentic, and gives their number.
    ///
    /// # Errors
    /// [`VaultError::Authentication`] at the first chunk that is not authentic (what came before was);
    /// [`VaultError::Output`] when `output` fails; any error of the disk.
    pub fn copy_to(&self, output: &mut dyn Write) -> Result<u64, VaultError> {
        self.each_chunk(|chunk| output.write_all(chunk).map_err(|source| VaultError::Output { id: self.id, source }))?;
        Ok(self.size())
    }

    /// The SHA-256 of the plain bytes as they are now.
    ///
    /// # Errors
    /// As [`Self::copy_to`].
    pub fn digest(&self) -> Result<Digest, VaultError> {
        let mut hasher = Hasher::default();
        self.each_chunk(|chunk| {
            hasher.update(chunk);
            Ok(())
        })?;
        Ok(hasher.finish())
    }

    fn each_chunk(&self, mut take: impl FnMut(&[u8]) -> Result<(), VaultError>) -> Result<(), VaultError> {
        let mut scratch = Chunk::default();
        for index in 0..self.layout.last {
            scratch = self.decrypt(index, scratch)?;
            take(&scratch)?;
        }
        take(&self.tail)
    }

    /// Reads and decrypts a chunk; `scratch` is memory to use again.
    fn decrypt(&self, index: u32, mut scratch: Chunk) -> Result<Chunk, VaultError> {
        let (start, length) = self.layout.sealed(index);
        let id = self.id;
        if scratch.capacity() < length {
            // Never grown in place: that would leave plain bytes behind uncleared.
            scratch = Zeroizing::new(Vec::with_capacity(CHUNK.min(length) + TAG));
        }
        scratch.resize(length, 0);
        self.file.read_exact_at(HEADER as u64 + start, &mut scratch).map_err(|source| match source.kind() {
            io::ErrorKind::UnexpectedEof => {
                VaultError::Authentication { id, reason: "it has been cut while it was read" }
            }
            _ => VaultError::Io { act: "read", path: self.path.clone(), source },
        })?;
        let opened = self.cipher.open(index, index == self.layout.last, &mut scratch);
        opened.ok_or(VaultError::Authentication { id, reason: "a chunk is not the one that was written there" })?;
        Ok(scratch)
    }

    fn read_chunk(&self, index: u32, within: usize, buffer: &mut [u8]) -> Result<usize, VaultError> {
        if index == self.layout.last {
            return Ok(copy(&self.tail, within, buffer));
        }
        let take = || self.recent.lock().unwrap_or_else(PoisonError::into_inner).take();
        // Taken out while it is used, so that readers never wait for each other's decryption.
        let chunk = match take() {
            Some((recent, chunk)) if recent == index => chunk,
            other => self.decrypt(index, other.map(|(_, chunk)| chunk).unwrap_or_default())?,
        };
        let count = copy(&chunk, within, buffer);
        *self.recent.lock().unwrap_or_else(PoisonError::into_inner) = Some((index, chunk));
        Ok(count)
    }
}

/// `None` when the file does not begin with a header.
pub(crate) fn read_header(file: &File) -> io::Result<Option<Header>> {
    let mut bytes = [0; HEADER];
    match file.read_exact_at(0, &mut bytes) {
        Ok(()) => Ok(Header::from_bytes(&bytes)),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
        Err(error) => Err(error),
    }
}

fn copy(chunk: &[u8], within: usize, buffer: &mut [u8]) -> usize {
    let rest = chunk.get(within..).unwrap_or_default();
    let count = rest.len().min(buffer.len());
    if let (Some(to), Some(from)) = (buffer.get_mut(..count), rest.get(..count)) {
        to.copy_from_slice(from);
    }
    count
}

impl ReadAt for Object {
    fn size(&self) -> u64 {
        self.layout.size
    }

    /// Errors are a [`VaultError`]; [`VaultError::within`] finds it.
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let mut done = 0;
        while let Some(rest) = buffer.get_mut(done..).filter(|rest| !rest.is_empty())
            && let Some((index, within)) = offset.checked_add(done as u64).and_then(|at| self.layout.locate(at))
        {
            match self.read_chunk(index, within, rest)? {
                0 => break,
                read => done += read,
            }
        }
        Ok(done)
    }
}
