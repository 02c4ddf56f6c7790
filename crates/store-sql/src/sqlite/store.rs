use std::fmt;
use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use sealyard_store::{Store, StoreError, Work};
use tokio::sync::oneshot;

use super::{migrate, writer};
use crate::error::backend;
use crate::people::PeopleVersion;
use crate::queue::{self, Job, spawn, submit};
use crate::sqlite::connection::{Access, connect, prepare_file};
use crate::sqlite::options::SqliteOptions;
use crate::sqlite::reader::Reader;
use crate::sqlite::schema::Known;

/// A catalog in one SQLite file, in WAL mode, every commit synced to disk.
///
/// Dropping it finishes the work that was handed in and closes the database.
pub struct SqliteStore {
    writes: Option<SyncSender<Job>>,
    reads: Option<SyncSender<Job>>,
    short_reads: Option<SyncSender<Job>>,
    people: PeopleVersion,
    threads: Vec<JoinHandle<()>>,
}

impl SqliteStore {
    /// Opens the catalog at `path`, or makes it, and brings its schema up to date. The directory must be there.
    ///
    /// # Errors
    /// [`StoreError::Newer`] for the database of a newer release, [`StoreError::Invalid`] for a file that is not a
    /// catalog, [`StoreError::Backend`] when the disk or the database fails.
    pub fn open(path: &Path, options: SqliteOptions) -> Result<Self, StoreError> {
        prepare_file(path)?;
        let mut connection = connect(path, Access::Write)?;
        migrate::migrate(&mut connection, options.clock.now())?;
        // A server that was killed may have left in the log what it had destroyed.
        connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).map_err(backend)?;
        let schema = Known::of(&connection)?;
        sealyard_core::durable::sync_parent(path).map_err(backend)?;

        let queue = options.queue.max(1);
        let (writes, jobs) = sync_channel(queue);
        let seals = options.seals.clone();
        let people = PeopleVersion::default();
        let follows = people.clone();
        let mut threads =
            vec![spawn("catalog-writer", move || writer::run(&connection, &jobs, &seals, &schema, &follows))?];
        let read = |name, readers, threads: &mut Vec<JoinHandle<()>>| -> Result<SyncSender<Job>, StoreError> {
            let (reads, jobs) = sync_channel(queue);
            let jobs: Arc<Mutex<Receiver<Job>>> = Arc::new(Mutex::new(jobs));
            for _ in 0..readers {
                let connection = connect(path, Access::Read)?;
                let jobs = Arc::clone(&jobs);
                let reader = Reader::new(connection, options.read_limit, options.seals.clone())?;
                threads.push(spawn(name, move || reader.run(&jobs))?);
            }
            Ok(reads)
        };
        let reads = read("catalog-reader", options.readers.clamp(1, 16), &mut threads)?;
        // One is enough: it has nothing to do that takes long.
        let short_reads = read("catalog-lookup", 1, &mut threads)?;
        Ok(Self { writes: Some(writes), reads: Some(reads), short_reads: Some(short_reads), people, threads })
    }
}

impl Store for SqliteStore {
    fn submit_read(&self, work: Work, done: oneshot::Sender<Result<(), StoreError>>) {
        submit(self.reads.as_ref(), work, done);
    }

    fn submit_short_read(&self, work: Work, done: oneshot::Sender<Result<(), StoreError>>) {
        submit(self.short_reads.as_ref(), work, done);
    }

    fn submit_write(&self, work: Work, done: oneshot::Sender<Result<(), StoreError>>) {
        submit(self.writes.as_ref(), work, done);
    }

    fn people_version(&self) -> Option<u64> {
        Some(self.people.get())
    }
}

impl Drop for SqliteStore {
    fn drop(&mut self) {
        self.writes = None;
        self.reads = None;
        self.short_reads = None;
        queue::join(&mut self.threads);
    }
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteStore").field("threads", &self.threads.len()).finish_non_exhaustive()
    }
}
