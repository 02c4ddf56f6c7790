use std::sync::mpsc::Receiver;
use std::sync::{Mutex, PoisonError};

use rusqlite::Connection;
use sealyard_store::StoreError;

use crate::error::backend;
use crate::writer::{Job, attempt};

/// Takes work off the shared queue until its senders are gone.
pub(crate) fn run(connection: &Connection, jobs: &Mutex<Receiver<Job>>) {
    loop {
        let job = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(Job { work, done }) = job else { return };
        let _ = done.send(read(connection, work));
    }
}

fn read(connection: &Connection, work: sealyard_store::Work) -> Result<(), StoreError> {
    connection.prepare_cached("BEGIN DEFERRED").and_then(|mut begin| begin.execute([])).map_err(backend)?;
    let outcome = attempt(connection, work);
    if !connection.is_autocommit() {
        connection.prepare_cached("ROLLBACK").and_then(|mut end| end.execute([])).map_err(backend)?;
    }
    outcome
}
