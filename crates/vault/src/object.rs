use std::fmt;
use std::io::{self, Write};
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::sync::{Mutex, PoisonError};
use std::thread;

use sealyard_core::{Digest, Hasher, ReadAt};
use zeroize::Zeroizing;

use crate::chunks::{CHUNK, Cipher, GROUP, Layout, STRIDE, TAG};
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
    /// Memory for chunks as they are stored, to use again.
    stored_chunks: Mutex<Vec<u8>>,
}

type Chunk = Zeroizing<Vec<u8>>;

/// From so many chunks on, an object that is read to its end is decrypted by another thread than the one that takes it.
const LARGE: u32 = 16;
/// Groups whose memory waits to be used again.
const GROUPS_USED: usize = 2;

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
        let mut object = Self {
            id,
            place,
            stored,
            cipher,
            layout,
            tail: Chunk::default(),
            recent: Mutex::default(),
            stored_chunks: Mutex::default(),
        };
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
        if self.layout.last < LARGE || !self.each_group_ahead(&mut take)? {
            let mut scratch = Chunk::default();
            for index in 0..self.layout.last {
                scratch = self.decrypt(index, scratch)?;
                take(&scratch)?;
            }
        }
        take(&self.tail)
    }

    /// All chunks but the last, read and decrypted by another thread meanwhile; false when there can't be one.
    fn each_group_ahead(&self, take: &mut impl FnMut(&[u8]) -> Result<(), VaultError>) -> Result<bool, VaultError> {
        let (sender, groups) = mpsc::sync_channel(1);
        let (back, used) = mpsc::sync_channel(GROUPS_USED);
        thread::scope(|scope| {
            let name = thread::Builder::new().name("vault-reader".to_owned());
            if name.spawn_scoped(scope, move || self.decrypt_all(&sender, &used)).is_err() {
                return Ok(false);
            }
            // Left at an error, both channels are gone, and so the thread ends.
            let (groups, back) = (groups, back);
            let mut left = u64::from(self.layout.last) * CHUNK as u64;
            while left > 0 {
                let ended = || VaultError::of_storage("read", &self.place, self.id, io::ErrorKind::BrokenPipe.into());
                let group: Chunk = groups.recv().map_err(|_| ended())??;
                take(&group)?;
                left = left.saturating_sub(group.len() as u64);
                let _ = back.try_send(group);
            }
            Ok(true)
        })
    }

    fn decrypt_all(&self, groups: &SyncSender<Result<Chunk, VaultError>>, used: &Receiver<Chunk>) {
        let mut first = 0;
        while first < self.layout.last {
            let count = GROUP.min(self.layout.last - first);
            let mut group = used.try_recv().unwrap_or_default();
            if group.is_empty() {
                group = Zeroizing::new(vec![0; GROUP as usize * CHUNK]);
            }
            group.truncate(count as usize * CHUNK);
            let result = self.read_whole(first, &mut group).map(|()| group);
            let is_over = result.is_err();
            if groups.send(result).is_err() || is_over {
                return;
            }
            first += count;
        }
    }

    /// Reads and decrypts whole chunks, none of which is the last; where one is not authentic, `plain` has nothing of it.
    fn read_whole(&self, first: u32, plain: &mut [u8]) -> Result<(), VaultError> {
        let take = || self.stored_chunks.lock().unwrap_or_else(PoisonError::into_inner);
        // Taken out while it is used, so that readers don't wait for each other.
        let mut stored = std::mem::take(&mut *take());
        let (start, _) = self.layout.sealed(first);
        stored.resize(plain.len() / CHUNK * STRIDE, 0);
        let result = self.read_stored(start, &mut stored).and_then(|()| {
            for ((sealed, plain), index) in stored.chunks(STRIDE).zip(plain.chunks_mut(CHUNK)).zip(first..) {
                self.cipher.open_into(index, false, sealed, plain).ok_or_else(|| self.changed())?;
            }
            Ok(())
        });
        *take() = stored;
        result
    }

    fn changed(&self) -> VaultError {
        VaultError::Authentication { id: self.id, reason: "a chunk is not the one that was written there" }
    }

    fn read_stored(&self, start: u64, stored: &mut [u8]) -> Result<(), VaultError> {
        let id = self.id;
        self.stored.read_exact_at(HEADER as u64 + start, stored).map_err(|source| match source.kind() {
            io::ErrorKind::UnexpectedEof => {
                VaultError::Authentication { id, reason: "it has been cut while it was read" }
            }
            _ => VaultError::of_storage("read", &self.place, id, source),
        })
    }

    /// Reads and decrypts a chunk; `scratch` is memory to use again.
    fn decrypt(&self, index: u32, mut scratch: Chunk) -> Result<Chunk, VaultError> {
        let (start, length) = self.layout.sealed(index);
        if scratch.capacity() < length {
            // Never grown in place: that would leave plain bytes behind uncleared.
            scratch = Zeroizing::new(Vec::with_capacity(CHUNK.min(length) + TAG));
        }
        scratch.resize(length, 0);
        self.read_stored(start, &mut scratch)?;
        self.cipher.open(index, index == self.layout.last, &mut scratch).ok_or_else(|| self.changed())?;
        Ok(scratch)
    }

    /// How many bytes from chunk `index` on are whole chunks that are worth reading at once.
    fn whole_chunks(&self, index: u32, wanted: usize) -> usize {
        let chunks = (wanted / CHUNK).min(self.layout.last.saturating_sub(index) as usize).min(GROUP as usize);
        if chunks > 1 { chunks * CHUNK } else { 0 }
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
            let whole = if within == 0 { self.whole_chunks(index, rest.len()) } else { 0 };
            if let Some(rest) = rest.get_mut(..whole).filter(|rest| !rest.is_empty()) {
                self.read_whole(index, rest)?;
                done += rest.len();
                continue;
            }
            match self.read_chunk(index, within, rest)? {
                0 => break,
                read => done += read,
            }
        }
        Ok(done)
    }
}
