use std::fmt;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use sealyard_store::{Store, StoreError, Work};
use tokio::sync::oneshot;

use super::connection::Connection;
use super::link::Link;
use super::options::PostgresOptions;
use super::reader::Reader;
use super::url::PostgresUrl;
use super::{migrate, writer};
use crate::people::PeopleVersion;
use crate::queue::{self, Job, spawn, submit};

/// How much longer than the server itself a reader waits for it to stop a statement.
const GRACE: Duration = Duration::from_secs(10);

/// A catalog in a PostgreSQL database, every commit synced to its disk. Several servers may have one open: one of them writes
/// at a time.
///
/// A connection that is lost fails the work on it with [`StoreError::Unavailable`] and is made again. Dropping the store
/// finishes the work that was handed in.
pub struct PostgresStore {
    writes: Option<SyncSender<Job>>,
    reads: Option<SyncSender<Job>>,
    people: PeopleVersion,
    threads: Vec<JoinHandle<()>>,
}

impl PostgresStore {
    /// Connects, and brings the database's schema up to date, or makes it in an empty one.
    ///
    /// # Errors
    /// [`StoreError::Newer`] for the database of a newer release, [`StoreError::Invalid`] for one that is not a catalog or
    /// that this release can't use, [`StoreError::Unavailable`] or [`StoreError::Backend`] when it can't be reached.
    pub fn open(url: &PostgresUrl, options: PostgresOptions) -> Result<Self, StoreError> {
        let now = options.clock.now();
        let (settings, patience) = (url.clone(), options.patience);
        // A connection waits on a runtime of its own, which no thread that has one already can do.
        on_a_thread(move || migrate::migrate(&mut Connection::open(&settings, patience)?, now))?;

        let queue = options.queue.max(1);
        let (writes, jobs) = sync_channel(queue);
        let link = Link::new(url.clone(), options.patience);
        let seals = options.seals.clone();
        let people = PeopleVersion::default();
        let follows = people.clone();
        let mut threads = vec![spawn("catalog-writer", move || writer::run(link, &jobs, &seals, &follows))?];
        let (reads, jobs) = sync_channel(queue);
        let jobs: Arc<Mutex<Receiver<Job>>> = Arc::new(Mutex::new(jobs));
        for _ in 0..options.readers.clamp(1, 32) {
            let jobs = Arc::clone(&jobs);
            let link = Link::new(url.clone(), options.read_limit.saturating_add(GRACE));
            let mut reader = Reader::new(link, options.read_limit, options.seals.clone());
            threads.push(spawn("catalog-reader", move || reader.run(&jobs))?);
        }
        Ok(Self { writes: Some(writes), reads: Some(reads), people, threads })
    }
}

pub(crate) fn on_a_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    let (answer, answered) = sync_channel(1);
    spawn("catalog-opening", move || drop(answer.send(work())))?;
    answered.recv().map_err(|_| StoreError::Stopped)?
}

impl Store for PostgresStore {
    fn submit_read(&self, work: Work, done: oneshot::Sender<Result<(), StoreError>>) {
        submit(self.reads.as_ref(), work, done);
    }

    fn submit_write(&self, work: Work, done: oneshot::Sender<Result<(), StoreError>>) {
        submit(self.writes.as_ref(), work, done);
    }

    fn people_version(&self) -> Option<u64> {
        Some(self.people.get())
    }
}

impl Drop for PostgresStore {
    fn drop(&mut self) {
        self.writes = None;
        self.reads = None;
        queue::join(&mut self.threads);
    }
}

impl fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresStore").field("threads", &self.threads.len()).finish_non_exhaustive()
    }
}
