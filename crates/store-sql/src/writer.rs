use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::Receiver;

use rusqlite::Connection;
use sealyard_store::{StoreError, Work};
use tokio::sync::oneshot;

use crate::error::backend;
use crate::session::Session;

/// Most pieces of work under one commit.
const GROUP: usize = 128;

/// Work and whom to tell when it is done.
pub(crate) struct Job {
    pub(crate) work: Work,
    pub(crate) done: oneshot::Sender<Result<(), StoreError>>,
}

/// Takes work until its senders are gone. What waits meanwhile is written under one commit: syncing to disk is what
/// costs, and it costs the same for one as for many.
pub(crate) fn run(connection: &Connection, jobs: &Receiver<Job>) {
    while let Ok(first) = jobs.recv() {
        let mut group = vec![first];
        while group.len() < GROUP
            && let Ok(job) = jobs.try_recv()
        {
            group.push(job);
        }
        write_group(connection, group);
    }
    let _ = connection.execute_batch("PRAGMA optimize");
}

fn write_group(connection: &Connection, group: Vec<Job>) {
    if let Err(error) = connection.execute_batch("BEGIN IMMEDIATE") {
        return fail(group.into_iter().map(|job| job.done), &error.to_string());
    }
    let mut finished = Vec::with_capacity(group.len());
    let mut jobs = group.into_iter();
    let mut broken = None;
    for Job { work, done } in jobs.by_ref() {
        match write_one(connection, work) {
            Ok(outcome) => finished.push((done, outcome)),
            Err(error) => {
                broken = Some(error.to_string());
                finished.push((done, Err(StoreError::Undone)));
                break;
            }
        }
    }
    let committed = match broken {
        None => connection.execute_batch("COMMIT").map_err(|error| error.to_string()),
        Some(reason) => Err(reason),
    };
    match committed {
        Ok(()) => {
            for (done, outcome) in finished {
                let _ = done.send(outcome);
            }
        }
        Err(reason) => {
            if !connection.is_autocommit() {
                let _ = connection.execute_batch("ROLLBACK");
            }
            tracing::error!(%reason, "the catalog could not commit");
            let waiting = finished.into_iter().map(|(done, _)| done).chain(jobs.map(|job| job.done));
            fail(waiting, &reason);
        }
    }
}

/// Runs one piece in a savepoint of its own. An error means that the whole transaction is lost.
fn write_one(connection: &Connection, work: Work) -> rusqlite::Result<Result<(), StoreError>> {
    connection.prepare_cached("SAVEPOINT work")?.execute([])?;
    let outcome = attempt(connection, work);
    if connection.is_autocommit() {
        // SQLite ends the transaction by itself when the disk is full or broken.
        return Err(rusqlite::Error::SqliteFailure(
            rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_ABORT),
            Some("the database ended the transaction".into()),
        ));
    }
    if outcome.is_err() {
        connection.prepare_cached("ROLLBACK TO work")?.execute([])?;
    }
    connection.prepare_cached("RELEASE work")?.execute([])?;
    Ok(outcome)
}

/// Runs `work`; a panic in it is its own failure only.
pub(crate) fn attempt(connection: &Connection, work: Work) -> Result<(), StoreError> {
    let mut session = Session { connection };
    match catch_unwind(AssertUnwindSafe(|| work(&mut session))) {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) => Err(StoreError::Undone),
        Err(_) => {
            tracing::error!("work on the catalog panicked and was undone");
            Err(StoreError::Undone)
        }
    }
}

fn fail(waiting: impl Iterator<Item = oneshot::Sender<Result<(), StoreError>>>, reason: &str) {
    for done in waiting {
        let _ = done.send(Err(backend(reason.to_owned())));
    }
}
