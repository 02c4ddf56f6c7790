use std::sync::mpsc::Receiver;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use sealyard_store::{StoreError, Work};

use super::link::Link;
use crate::queue::{Job, attempt};
use crate::seals::RowSeals;
use crate::session::Session;

/// One thread's connection, with a limit on how long each piece of work may take.
#[derive(Debug)]
pub(crate) struct Reader {
    link: Link,
    limit: Duration,
    begin: String,
    seals: RowSeals,
}

impl Reader {
    pub(crate) fn new(link: Link, limit: Duration, seals: RowSeals) -> Self {
        let begin = format!(
            "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL statement_timeout = {}",
            limit.as_millis().clamp(1, 2_000_000_000)
        );
        Self { link, limit, begin, seals }
    }

    /// Takes work off the shared queue until its senders are gone.
    pub(crate) fn run(&mut self, jobs: &Mutex<Receiver<Job>>) {
        loop {
            let job = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
            let Ok(Job { work, done }) = job else { return };
            let _ = done.send(self.read(work));
        }
    }

    fn read(&mut self, work: Work) -> Result<(), StoreError> {
        let connection = self.link.begin(&self.begin)?;
        connection.set_deadline(Instant::now().checked_add(self.limit));
        let outcome = attempt(Session::postgres(connection).sealing(&self.seals), work);
        connection.set_deadline(None);
        if connection.batch("ROLLBACK").is_err() {
            self.link.close();
        }
        outcome
    }
}
