use std::fmt;
use std::fs::File;
use std::io::{self, Read as _};
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use futures::stream::{BoxStream, StreamExt as _};
use object_store::path::Path;
use object_store::{
    Error, GetOptions, GetRange, MultipartUpload, ObjectMeta, ObjectStore, ObjectStoreExt as _, PutMode, PutPayload,
};
use sealyard_core::{ReadAt, Timestamp};
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinHandle;

use super::{Listed, ObjectBackend, Staged, Unavailable};
use crate::object_id::ObjectId;
use crate::vault::MARKER;

/// Bytes that are sent at a time. Larger objects go as multipart uploads.
const PART: u64 = 8 << 20;
/// More parts than this no service takes; the largest objects get larger parts.
const MOST_PARTS: u64 = 9_000;
/// Parts under way at once, of all uploads together: what they take of memory.
const PARTS_UNDER_WAY: usize = 6;
/// Parts under way at once of one upload.
const PARTS_OF_ONE: usize = 3;
/// Bytes that are fetched when somebody reads here and there.
const FETCH: u64 = 160 << 10;
/// Bytes that are fetched at most when somebody reads on and on.
const MOST_FETCHED: u64 = 4 << 20;
/// Objects that a listing takes at a time.
const PAGE: usize = 1000;

/// Objects in a bucket of S3, Google Cloud Storage or Azure, below a prefix.
///
/// Its calls block the thread that makes them; the requests run on the runtime it was made with.
pub struct RemoteBackend {
    shared: Arc<Shared>,
    /// For errors and logs, such as `s3://bucket/prefix`.
    name: String,
}

struct Shared {
    store: Box<dyn ObjectStore>,
    prefix: Path,
    runtime: Handle,
    parts: Arc<Semaphore>,
}

impl fmt::Debug for RemoteBackend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A store's own form may hold credentials.
        f.debug_struct("RemoteBackend").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Shared {
    /// Runs `work` on the runtime and waits for it here. Not `block_on`, which panics on the runtime's own threads.
    fn wait<T: Send + 'static>(&self, work: impl Future<Output = T> + Send + 'static) -> io::Result<T> {
        let (sender, receiver) = std::sync::mpsc::sync_channel(1);
        self.runtime.spawn(async move {
            let _ = sender.send(work.await);
        });
        receiver.recv().map_err(|_| unavailable("the server stops"))
    }

    fn key(&self, id: &ObjectId) -> Path {
        let name = id.to_string();
        let shard = name.get(..2).unwrap_or_default().to_owned();
        self.prefix.clone().join("objects").join(shard).join(name)
    }
}

impl RemoteBackend {
    /// Objects below `prefix` of `store`.
    #[must_use]
    pub fn new(store: Box<dyn ObjectStore>, prefix: Path, name: String, runtime: Handle) -> Self {
        let parts = Arc::new(Semaphore::new(PARTS_UNDER_WAY));
        Self { shared: Arc::new(Shared { store, prefix, runtime, parts }), name }
    }

    fn run<T: Send + 'static, F>(&self, work: impl FnOnce(Arc<Shared>) -> F) -> io::Result<T>
    where
        F: Future<Output = object_store::Result<T>> + Send + 'static,
    {
        self.shared.wait(work(Arc::clone(&self.shared)))?.map_err(failed)
    }

    fn put_in_parts(&self, key: Path, length: u64, staged: &Staged) -> io::Result<()> {
        let mut upload = self.run(|shared| async move { shared.store.put_multipart(&key).await })?;
        match self.send_parts(&mut upload, length, staged) {
            Ok(()) => {
                let done = self.run(|_| async move {
                    let done = upload.complete().await;
                    if done.is_err() {
                        let _ = upload.abort().await;
                    }
                    done
                });
                done.map(drop)
            }
            Err(error) => {
                // What can't be taken back is left to the bucket's own rule for broken uploads.
                let _ = self.run(|_| async move { upload.abort().await });
                Err(error)
            }
        }
    }

    fn send_parts(&self, upload: &mut Box<dyn MultipartUpload>, length: u64, staged: &Staged) -> io::Result<()> {
        let size = part_size(length);
        let mut file = File::open(staged.path())?;
        let mut left = length;
        let mut under_way: std::collections::VecDeque<JoinHandle<object_store::Result<()>>> = Default::default();
        let result = loop {
            if left == 0 {
                break Ok(());
            }
            if under_way.len() >= PARTS_OF_ONE
                && let Some(first) = under_way.pop_front()
                && let Err(error) = self.finish(first)
            {
                break Err(error);
            }
            let parts = Arc::clone(&self.shared.parts);
            let permit: OwnedSemaphorePermit = match self.shared.wait(parts.acquire_owned())? {
                Ok(permit) => permit,
                Err(_) => break Err(unavailable("the server stops")),
            };
            let this = size.min(left);
            let mut part = vec![0; usize::try_from(this).map_err(|_| io::ErrorKind::FileTooLarge)?];
            if let Err(error) = file.read_exact(&mut part) {
                break Err(error);
            }
            left -= this;
            let sending = upload.put_part(PutPayload::from(part));
            under_way.push_back(self.shared.runtime.spawn(async move {
                let _permit = permit;
                sending.await
            }));
        };
        let mut result = result;
        for part in under_way {
            if result.is_ok() {
                result = self.finish(part);
            } else {
                part.abort();
            }
        }
        result
    }

    fn finish(&self, part: JoinHandle<object_store::Result<()>>) -> io::Result<()> {
        match self.shared.wait(part)? {
            Ok(sent) => sent.map_err(failed),
            Err(error) => Err(unavailable(error)),
        }
    }
}

/// At least [`PART`], and so large that the service's count of parts is enough.
fn part_size(length: u64) -> u64 {
    length.div_ceil(MOST_PARTS).next_multiple_of(1 << 20).max(PART)
}

impl ObjectBackend for RemoteBackend {
    fn place(&self, id: &ObjectId) -> String {
        let key = self.shared.key(id);
        let below = key.as_ref().strip_prefix(self.shared.prefix.as_ref()).unwrap_or(key.as_ref());
        format!("{}/{}", self.name, below.trim_start_matches('/'))
    }

    fn put(&self, id: &ObjectId, staged: &Staged) -> io::Result<()> {
        let length = staged.length()?;
        let key = self.shared.key(id);
        if length > PART {
            self.put_in_parts(key, length, staged)?;
        } else {
            let permit = self
                .shared
                .wait(Arc::clone(&self.shared.parts).acquire_owned())?
                .map_err(|_| unavailable("the server stops"))?;
            let mut bytes = Vec::new();
            File::open(staged.path())?.take(PART).read_to_end(&mut bytes)?;
            self.run(|shared| async move {
                let _permit = permit;
                shared.store.put(&key, PutPayload::from(bytes)).await
            })?;
        }
        super::staged::remove(staged.path());
        staged.give_up();
        Ok(())
    }

    fn open(&self, id: &ObjectId) -> io::Result<Box<dyn ReadAt>> {
        let key = self.shared.key(id);
        let at = key.clone();
        let begun = self.run(|shared| async move {
            let range = Some(GetRange::Bounded(0..FETCH));
            let got = shared.store.get_opts(&at, GetOptions { range, ..GetOptions::default() }).await?;
            let size = got.meta.size;
            Ok((size, got.bytes().await?))
        });
        let (size, first) = match begun {
            Ok(begun) => begun,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(error),
            // Some services refuse any range of nothing. Nothing is no object, and that is for the reader to find out.
            Err(error) => match self.head(id)? {
                Some(Listed { size: 0, .. }) => (0, Bytes::new()),
                _ => return Err(error),
            },
        };
        let windows = Mutex::new(Windows { windows: vec![Window { start: 0, bytes: first }], fetch: FETCH });
        Ok(Box::new(RemoteObject { shared: Arc::clone(&self.shared), key, size, windows }))
    }

    fn head(&self, id: &ObjectId) -> io::Result<Option<Listed>> {
        let key = self.shared.key(id);
        match self.run(|shared| async move { shared.store.head(&key).await }) {
            Ok(meta) => Ok(Some(listed(*id, &meta))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn list(&self, visit: &mut dyn FnMut(Listed) -> io::Result<()>) -> io::Result<usize> {
        let below = self.shared.prefix.clone().join("objects");
        let mut strangers = 0;
        let mut stream: BoxStream<'static, object_store::Result<ObjectMeta>> = self.shared.store.list(Some(&below));
        loop {
            // By pages, so that a bucket of any size takes the memory of one.
            let (rest, page) = self.shared.wait(async move {
                let mut page = Vec::with_capacity(PAGE);
                while page.len() < PAGE
                    && let Some(found) = stream.next().await
                {
                    page.push(found);
                }
                (stream, page)
            })?;
            stream = rest;
            let is_last = page.len() < PAGE;
            for found in page {
                let meta = found.map_err(failed)?;
                match id_of(&meta.location, &self.shared) {
                    Some(id) => visit(listed(id, &meta))?,
                    None => strangers += 1,
                }
            }
            if is_last {
                return Ok(strangers);
            }
        }
    }

    fn delete(&self, id: &ObjectId) -> io::Result<bool> {
        let key = self.shared.key(id);
        match self.run(|shared| async move { shared.store.delete(&key).await }) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn marker(&self) -> io::Result<Option<Vec<u8>>> {
        let key = self.shared.prefix.clone().join(MARKER);
        let got = self.run(|shared| async move {
            let range = Some(GetRange::Bounded(0..1024));
            let got = shared.store.get_opts(&key, GetOptions { range, ..GetOptions::default() }).await?;
            got.bytes().await
        });
        match got {
            Ok(text) => Ok(Some(text.to_vec())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn write_marker(&self, text: &[u8]) -> io::Result<()> {
        let key = self.shared.prefix.clone().join(MARKER);
        let payload = PutPayload::from(text.to_vec());
        self.run(|shared| async move {
            match shared.store.put_opts(&key, payload.clone(), PutMode::Create.into()).await {
                Ok(_) | Err(Error::AlreadyExists { .. } | Error::Precondition { .. }) => Ok(()),
                // Not every service can write only what is not there.
                Err(_) => shared.store.put(&key, payload).await.map(drop),
            }
        })
    }
}

fn id_of(location: &Path, shared: &Shared) -> Option<ObjectId> {
    let id = location.filename()?.parse().ok()?;
    (shared.key(&id) == *location).then_some(id)
}

fn listed(id: ObjectId, meta: &ObjectMeta) -> Listed {
    Listed { id, size: meta.size, stored: Timestamp::from_millis(meta.last_modified.timestamp_millis()) }
}

fn unavailable(what: impl fmt::Display) -> io::Error {
    io::Error::new(io::ErrorKind::NotConnected, Unavailable(what.to_string()))
}

fn failed(error: Error) -> io::Error {
    match error {
        Error::NotFound { .. } => io::Error::new(io::ErrorKind::NotFound, error),
        // One line, and not for ever: some services answer with a page.
        error => unavailable(error.to_string().chars().filter(|c| !c.is_control()).take(600).collect::<String>()),
    }
}

/// An object of a bucket, open for reading anywhere. Fetches more than is asked for, and more the longer somebody reads on.
struct RemoteObject {
    shared: Arc<Shared>,
    key: Path,
    size: u64,
    windows: Mutex<Windows>,
}

/// What was fetched last and what was fetched before that: a reader looks at the end, then goes through from the start.
struct Windows {
    windows: Vec<Window>,
    fetch: u64,
}

#[derive(Clone)]
struct Window {
    start: u64,
    bytes: Bytes,
}

impl Window {
    fn end(&self) -> u64 {
        self.start + self.bytes.len() as u64
    }

    fn read(&self, offset: u64, buffer: &mut [u8]) -> usize {
        let Some(within) = offset.checked_sub(self.start).and_then(|within| usize::try_from(within).ok()) else {
            return 0;
        };
        let rest = self.bytes.get(within..).unwrap_or_default();
        let count = rest.len().min(buffer.len());
        if let (Some(to), Some(from)) = (buffer.get_mut(..count), rest.get(..count)) {
            to.copy_from_slice(from);
        }
        count
    }
}

impl RemoteObject {
    fn fetch(&self, range: Range<u64>) -> io::Result<Window> {
        let (start, key) = (range.start, self.key.clone());
        let shared = Arc::clone(&self.shared);
        let bytes = self.shared.wait(async move { shared.store.get_range(&key, range).await })?;
        Ok(Window { start, bytes: bytes.map_err(failed)? })
    }
}

impl ReadAt for RemoteObject {
    fn size(&self) -> u64 {
        self.size
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        if offset >= self.size || buffer.is_empty() {
            return Ok(0);
        }
        let lock = || self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        let length = {
            let mut known = lock();
            if let Some(count) = known.windows.iter().map(|window| window.read(offset, buffer)).find(|&n| n > 0) {
                return Ok(count);
            }
            let reads_on = known.windows.iter().any(|window| window.end() == offset);
            known.fetch = if reads_on { (known.fetch * 4).min(MOST_FETCHED) } else { FETCH };
            known.fetch
        };
        let end = offset.saturating_add(length.max(buffer.len() as u64)).min(self.size);
        // Not under the lock: readers of other places go on.
        let window = self.fetch(offset..end)?;
        let count = window.read(offset, buffer);
        let mut known = lock();
        // Whoever read on and on needs what lies behind no more, and that may be megabytes.
        known.windows.retain(|other| other.end() != offset && (other.bytes.len() as u64) <= FETCH);
        known.windows.truncate(1);
        if end < self.size || window.bytes.len() as u64 <= FETCH || count < window.bytes.len() {
            known.windows.insert(0, window);
        }
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_few_enough_for_every_length() {
        for length in [1, PART, PART * MOST_PARTS, PART * MOST_PARTS + 1, 1 << 40, 5 << 40] {
            assert!(length.div_ceil(part_size(length)) <= MOST_PARTS, "{length}");
            assert!(part_size(length) >= PART);
        }
    }
}
