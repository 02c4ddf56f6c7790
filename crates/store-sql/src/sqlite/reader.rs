use std::sync::mpsc::Receiver;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::Connection;
use sealyard_store::{StoreError, Work};

use crate::error::{OrBackend as _, backend};
use crate::queue::{Job, attempt};
use crate::seals::RowSeals;
use crate::session::Session;
use crate::sqlite::deadline;

/// Steps of SQLite's machine between two looks at the time.
const STEPS: i32 = 100;

/// One thread's connection, with a limit on how long each piece of work may take.
#[derive(Debug)]
pub(crate) struct Reader {
    connection: Connection,
    limit: Duration,
    seals: RowSeals,
}

impl Reader {
    pub(crate) fn new(mut connection: Connection, limit: Duration, seals: RowSeals) -> Result<Self, StoreError> {
        connection.progress_handler(STEPS, Some(deadline::passed)).or_backend()?;
        Ok(Self { connection, limit, seals })
    }

    /// Takes work off the shared queue until its senders are gone.
    pub(crate) fn run(&self, jobs: &Mutex<Receiver<Job>>) {
        loop {
            let job = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
            let Ok(Job { work, done }) = job else { return };
            let _ = done.send(self.read(work));
        }
    }

    fn read(&self, work: Work) -> Result<(), StoreError> {
        self.statement("BEGIN DEFERRED")?;
        deadline::set(Instant::now().checked_add(self.limit));
        let outcome = attempt(Session::sqlite(&self.connection).sealing(&self.seals), work);
        deadline::set(None);
        if !self.connection.is_autocommit() {
            self.statement("ROLLBACK")?;
        }
        outcome
    }

    fn statement(&self, sql: &str) -> Result<(), StoreError> {
        self.connection.prepare_cached(sql).and_then(|mut statement| statement.execute([])).map_err(backend)?;
        Ok(())
    }
}
