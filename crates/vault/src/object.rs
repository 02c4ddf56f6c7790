use std::fmt;
use std::io::{self, Write};
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
pub struct Object {
    id: ObjectId,
    place: String,
    stored: Box<dyn ReadAt>,
    cipher: Cipher,
    layout: Layout,
    tail: Chunk,
    recent: Mutex<Option<(u32, Chunk)>>,
}

type Chunk = Zeroizing<Vec<u8>>;

impl fmt::Debug for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Object").field("id", &self.id).field("size", &self.layout.size).finish_non_exhaustive()
    }
}

impl Object {
    /// Believes nothing of the file: not the header before its key unwraps, nor the length before the last chunk is
    /// authentic.
    pub(crate) fn open(
        stored: Box<dyn ReadAt>,
        place: String,
        id: ObjectId,
        keyring: &Keyring,
    ) -> Result<Self, VaultError> {
        let refused = |reason| VaultError::Authentication { id, reason };
        let body = stored.size().checked_sub(HEADER as u64).ok_or_else(|| refused("it is too short"))?;
        let header = read_header(&*stored).map_err(|source| VaultError::of_storage("read", &place, id, source))?;
        let header = header.ok_or_else(|| refused("its header is not one"))?;
        if !keyring.contains(header.key()) {
            return Err(VaultError::UnknownKey { id, key: header.key() });
        }
        let cipher = header.cipher(&id, keyring).ok_or_else(|| refused("its header does not belong to it"))?;
        let layout = Layout::of_body(body).ok_or_else(|| refused("its length is not one that an object has"))?;
        let mut object = Self { id, place, stored, cipher, layout, tail: Chunk::default(), recent: Mutex::default() };
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
        self.stored.read_exact_at(HEADER as u64 + start, &mut scratch).map_err(|source| match source.kind() {
            io::ErrorKind::UnexpectedEof => {
                VaultError::Authentication { id, reason: "it has been cut while it was read" }
            }
            _ => VaultError::of_storage("read", &self.place, id, source),
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

/// `None` when it does not begin with a header.
pub(crate) fn read_header(stored: &dyn ReadAt) -> io::Result<Option<Header>> {
    let mut bytes = [0; HEADER];
    match stored.read_exact_at(0, &mut bytes) {
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
