use std::sync::mpsc::Receiver;

use sealyard_store::StoreError;

use super::connection::Connection;
use super::link::Link;
use super::migrate::{self, WRITER};
use crate::people::PeopleVersion;
use crate::queue::{self, Done, Job, attempt};
use crate::seals::RowSeals;
use crate::session::Session;

/// Most pieces of work under one commit. Above 64, PostgreSQL no longer holds the savepoints of a transaction in shared memory.
const GROUP: usize = 60;

/// Takes work until its senders are gone. What waits meanwhile is written under one commit, as in SQLite.
pub(crate) fn run(mut link: Link, jobs: &Receiver<Job>, seals: &RowSeals, people: &PeopleVersion) {
    // Held to the end of the transaction: of all servers on this database, one writes at a time, and what it reads stays so.
    let begin = format!("BEGIN; SELECT pg_advisory_xact_lock({WRITER}); {}; SAVEPOINT work", migrate::guard());
    while let Ok(first) = jobs.recv() {
        write_group(&mut link, &begin, queue::group(first, jobs, GROUP), seals, people);
    }
}

fn write_group(link: &mut Link, begin: &str, group: Vec<Job>, seals: &RowSeals, people: &PeopleVersion) {
    let connection = match link.begin(begin) {
        Ok(connection) => connection,
        Err(error) => return fail(group.into_iter().map(|job| job.done), &error),
    };
    let mut finished = Vec::with_capacity(group.len());
    let mut jobs = group.into_iter();
    let mut broken = None;
    for (number, Job { work, done }) in jobs.by_ref().enumerate() {
        match write_one(connection, number > 0, work, seals) {
            Ok(outcome) => {
                seals.work_ended(outcome.is_ok());
                finished.push((done, outcome));
            }
            Err(error) => {
                finished.push((done, Err(StoreError::Undone)));
                broken = Some(error);
                break;
            }
        }
    }
    // In a transaction that the server gave up, RELEASE fails, where COMMIT would only be a ROLLBACK.
    let committed = broken.map_or_else(|| connection.batch("RELEASE work; COMMIT"), Err);
    people.follow();
    seals.transaction_ended(committed.is_ok());
    match committed {
        Ok(()) => {
            for (done, outcome) in finished {
                let _ = done.send(outcome);
            }
        }
        Err(error) => {
            tracing::error!(%error, "the catalog could not commit");
            link.close();
            fail(finished.into_iter().map(|(done, _)| done).chain(jobs.map(|job| job.done)), &error);
        }
    }
}

/// Runs one piece in a savepoint of its own. An error means that the whole transaction is lost.
fn write_one(
    connection: &Connection,
    follows: bool,
    work: sealyard_store::Work,
    seals: &RowSeals,
) -> Result<Result<(), StoreError>, StoreError> {
    if follows {
        connection.batch("RELEASE work; SAVEPOINT work")?;
    }
    let mut outcome = attempt(Session::postgres(connection).sealing(seals), work);
    if connection.take_failed() && outcome.is_ok() {
        // A statement failed and the work went on nevertheless: it can't have written what it believes.
        outcome = Err(StoreError::Undone);
    }
    if connection.is_lost() {
        return Err(StoreError::Unavailable);
    }
    if outcome.is_err() {
        connection.batch("ROLLBACK TO work")?;
    }
    Ok(outcome)
}

/// Tells everybody that nothing was kept, or, where the commit itself was cut off, that it is not known.
fn fail(waiting: impl Iterator<Item = Done>, error: &StoreError) {
    for done in waiting {
        let _ = done.send(Err(match error {
            StoreError::Backend(cause) => crate::error::backend(cause.to_string()),
            StoreError::Newer { found, known } => StoreError::Newer { found: *found, known: *known },
            StoreError::Invalid(text) => StoreError::Invalid(text.clone()),
            _ => StoreError::Unavailable,
        }));
    }
}
