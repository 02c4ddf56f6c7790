use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use rusqlite::Connection;
use sealyard_store::{StoreError, Work};

use crate::error::{backend, is_full};
use crate::forgotten;
use crate::people::PeopleVersion;
use crate::queue::{self, Done, Job, attempt};
use crate::seals::RowSeals;
use crate::session::Session;
use crate::sqlite::connection::BUSY;
use crate::sqlite::schema::Known;
use crate::sqlite::statement;

/// Most pieces of work under one commit.
const GROUP: usize = 128;

/// How long the writer waits for others where the last commit was of several: their clients come back at about the same time,
/// and one commit less is worth more than this.
const GATHERING: Duration = Duration::from_micros(200);

/// When the log could not be emptied because of a reader, it is tried again after this; a reader may take half a minute.
const AGAIN: Duration = Duration::from_secs(1);

/// So long writes wait for that.
const EMPTYING: Duration = Duration::from_millis(20);

/// Takes work until its senders are gone. What waits meanwhile is written under one commit: syncing to disk is what
/// costs, and it costs the same for one as for many.
pub(crate) fn run(
    connection: &Connection,
    jobs: &Receiver<Job>,
    seals: &RowSeals,
    schema: &Known,
    people: &PeopleVersion,
) {
    serve(connection, jobs, seals, schema, people);
    let _ = connection.execute_batch("PRAGMA optimize");
}

fn serve(connection: &Connection, jobs: &Receiver<Job>, seals: &RowSeals, schema: &Known, people: &PeopleVersion) {
    let mut shared = false;
    let mut emptying = false;
    loop {
        let first = if emptying { jobs.recv_timeout(AGAIN) } else { jobs.recv().map_err(RecvTimeoutError::from) };
        let first = match first {
            Ok(first) => first,
            Err(RecvTimeoutError::Timeout) => {
                emptying = !empty_log(connection);
                continue;
            }
            Err(RecvTimeoutError::Disconnected) => return,
        };
        if shared {
            std::thread::sleep(GATHERING);
        }
        let group = queue::group(first, jobs, GROUP);
        shared = group.len() > 1;
        write_group(connection, group, seals, schema, people);
        if forgotten::take() || emptying {
            emptying = !empty_log(connection);
        }
    }
}

/// Writes the log back and empties it; false when a reader still needs it.
fn empty_log(connection: &Connection) -> bool {
    let _ = connection.busy_timeout(EMPTYING);
    let busy = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, i64>(0));
    let _ = connection.busy_timeout(BUSY);
    match busy {
        Ok(busy) => busy == 0,
        Err(error) => {
            tracing::warn!(%error, "the catalog's log could not be emptied; it will be tried again");
            false
        }
    }
}

fn write_group(connection: &Connection, group: Vec<Job>, seals: &RowSeals, schema: &Known, people: &PeopleVersion) {
    if let Err(error) = run_cached(connection, "BEGIN IMMEDIATE") {
        return fail(group.into_iter().map(|job| job.done), &error);
    }
    if let Err(error) = schema.check(connection) {
        let _ = run_cached(connection, "ROLLBACK");
        tracing::error!(%error, "nothing is written");
        for Job { done, .. } in group {
            let _ = done.send(Err(if let StoreError::Schema(what) = &error {
                StoreError::Schema(what.clone())
            } else {
                backend(error.to_string())
            }));
        }
        return;
    }
    let mut finished = Vec::with_capacity(group.len());
    let mut jobs = group.into_iter();
    let mut broken = None;
    let mut kept = 0;
    for Job { work, done } in jobs.by_ref() {
        match write_one(connection, work, kept == 0, seals) {
            Ok(outcome) => {
                seals.work_ended(outcome.is_ok());
                kept += usize::from(outcome.is_ok());
                finished.push((done, outcome));
            }
            Err(error) => {
                broken = Some(error);
                finished.push((done, Err(StoreError::Undone)));
                break;
            }
        }
    }
    let committed = match broken {
        None => run_cached(connection, "COMMIT"),
        Some(reason) => Err(reason),
    };
    people.follow();
    seals.transaction_ended(committed.is_ok());
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

/// Runs one piece so that it can be undone alone: where nothing before it is kept by the transaction, that is a rollback of
/// all, else of a savepoint of its own, for which SQLite copies each page before it is changed. An error means that the
/// whole transaction is lost.
fn write_one(
    connection: &Connection,
    work: Work,
    alone: bool,
    seals: &RowSeals,
) -> rusqlite::Result<Result<(), StoreError>> {
    if !alone {
        run_cached(connection, "SAVEPOINT work")?;
    }
    let _ = statement::take_failure();
    let outcome = attempt(Session::sqlite(connection).sealing(seals), work);
    if connection.is_autocommit() {
        // SQLite ends the transaction by itself when the disk is full or fails, or memory ran out.
        let unknown =
            || (rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_ERROR), "for no reason that was told".to_owned());
        let (code, reason) = statement::take_failure().unwrap_or_else(unknown);
        let reason = format!("the database ended the transaction: {reason} (code {})", code.extended_code);
        return Err(rusqlite::Error::SqliteFailure(code, Some(reason)));
    }
    match (&outcome, alone) {
        (Ok(()), true) => {}
        (Ok(()), false) => run_cached(connection, "RELEASE work")?,
        (Err(_), true) => {
            run_cached(connection, "ROLLBACK")?;
            run_cached(connection, "BEGIN IMMEDIATE")?;
        }
        (Err(_), false) => {
            run_cached(connection, "ROLLBACK TO work")?;
            run_cached(connection, "RELEASE work")?;
        }
    }
    Ok(outcome)
}

fn run_cached(connection: &Connection, sql: &str) -> rusqlite::Result<()> {
    connection.prepare_cached(sql)?.execute([]).map(drop)
}

fn fail(waiting: impl Iterator<Item = Done>, reason: &rusqlite::Error) {
    for done in waiting {
        let error = if is_full(reason) { StoreError::Full } else { backend(reason.to_string()) };
        let _ = done.send(Err(error));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::sync_channel;

    use sealyard_store::Rollback;
    use tokio::sync::oneshot;

    use super::*;

    type Told = oneshot::Receiver<Result<(), StoreError>>;

    fn job(key: &'static str, size: usize) -> (Job, Told) {
        let (done, told) = oneshot::channel();
        let work: Work = Box::new(move |tx| tx.put_setting(key, &"x".repeat(size)).map_err(|_| Rollback));
        (Job { work, done }, told)
    }

    fn keys(connection: &Connection) -> Vec<String> {
        let mut statement = connection.prepare("SELECT key FROM settings ORDER BY key").unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    }

    fn database(directory: &std::path::Path) -> Connection {
        let path = directory.join("catalog.db");
        crate::sqlite::connection::prepare_file(&path).unwrap();
        let connection = crate::sqlite::connection::connect(&path, crate::sqlite::connection::Access::Write).unwrap();
        connection.execute_batch("CREATE TABLE settings (key TEXT PRIMARY KEY, value TEXT NOT NULL)").unwrap();
        connection
    }

    #[test]
    fn a_full_disk_fails_that_piece_and_not_the_thread() {
        let directory = tempfile::tempdir().unwrap();
        let connection = database(directory.path());
        connection.pragma_update(None, "max_page_count", 40).unwrap();
        let (small, mut small_told) = job("small", 10);
        let (large, mut large_told) = job("large", 1 << 20);
        write_group(
            &connection,
            vec![small, large],
            &RowSeals::default(),
            &Known::default(),
            &PeopleVersion::default(),
        );
        assert!(matches!(large_told.try_recv().unwrap(), Err(StoreError::Full | StoreError::Undone)));
        // Whether SQLite gave up the whole group is its choice; what it says must be what is there.
        let kept = small_told.try_recv().unwrap().is_ok();
        assert_eq!(keys(&connection), if kept { vec!["small"] } else { vec![] });
        let (again, mut told) = job("again", 10);
        write_group(&connection, vec![again], &RowSeals::default(), &Known::default(), &PeopleVersion::default());
        assert!(told.try_recv().unwrap().is_ok());
        assert!(keys(&connection).contains(&"again".to_owned()));
    }

    /// A disk is not said to be full when something else went wrong.
    #[test]
    fn a_transaction_that_the_database_ended_is_told_with_its_cause() {
        let directory = tempfile::tempdir().unwrap();
        let connection = database(directory.path());
        connection
            .execute_batch(
                "CREATE TRIGGER ended AFTER INSERT ON settings WHEN new.key = 'bad' BEGIN SELECT RAISE(ROLLBACK, 'the cause'); END",
            )
            .unwrap();
        let (good, mut good_told) = job("good", 1);
        let (bad, mut bad_told) = job("bad", 1);
        write_group(&connection, vec![good, bad], &RowSeals::default(), &Known::default(), &PeopleVersion::default());
        for told in [good_told.try_recv().unwrap(), bad_told.try_recv().unwrap()] {
            let Err(StoreError::Backend(cause)) = told else { panic!("{told:?}") };
            assert!(cause.to_string().contains("the cause"), "{cause}");
        }
        assert!(keys(&connection).is_empty());
        let (next, mut told) = job("next", 1);
        write_group(&connection, vec![next], &RowSeals::default(), &Known::default(), &PeopleVersion::default());
        assert!(told.try_recv().unwrap().is_ok());
    }

    #[test]
    fn nobody_is_told_before_the_commit_nor_of_a_commit_that_failed() {
        let directory = tempfile::tempdir().unwrap();
        let connection = database(directory.path());
        // A deferred constraint fails at the commit, which is the one moment that the work itself can't see.
        connection
            .execute_batch("CREATE TABLE parent (a PRIMARY KEY); CREATE TABLE child (a REFERENCES parent (a) DEFERRABLE INITIALLY DEFERRED);
                CREATE TRIGGER orphan AFTER INSERT ON settings WHEN new.key = 'bad' BEGIN INSERT INTO child VALUES (1); END;")
            .unwrap();
        let (good, mut good_told) = job("good", 1);
        let (bad, mut bad_told) = job("bad", 1);
        write_group(&connection, vec![good, bad], &RowSeals::default(), &Known::default(), &PeopleVersion::default());
        assert!(good_told.try_recv().unwrap().is_err());
        assert!(bad_told.try_recv().unwrap().is_err());
        assert!(keys(&connection).is_empty());
        let (next, mut told) = job("next", 1);
        write_group(&connection, vec![next], &RowSeals::default(), &Known::default(), &PeopleVersion::default());
        assert!(told.try_recv().unwrap().is_ok());
    }

    /// Whatever stands before and after it in its group, and whether anything before it was kept.
    #[test]
    fn only_the_piece_that_failed_is_undone() {
        for failing in 0..8_u32 {
            let directory = tempfile::tempdir().unwrap();
            let connection = database(directory.path());
            let jobs = ["a", "b", "c"].into_iter().enumerate().map(|(place, key)| {
                let (done, told) = oneshot::channel();
                let fails = failing & (1 << place) != 0;
                let work: Work = Box::new(move |tx| {
                    tx.put_setting(key, "written").map_err(|_| Rollback)?;
                    if fails { Err(Rollback) } else { Ok(()) }
                });
                ((Job { work, done }, told), (key, fails))
            });
            let (jobs, expected): (Vec<_>, Vec<_>) = jobs.unzip();
            let (jobs, told): (Vec<_>, Vec<_>) = jobs.into_iter().unzip();
            write_group(&connection, jobs, &RowSeals::default(), &Known::default(), &PeopleVersion::default());
            for (mut told, (key, fails)) in told.into_iter().zip(&expected) {
                assert_eq!(told.try_recv().unwrap().is_err(), *fails, "{failing} {key}");
            }
            let kept: Vec<_> = expected.iter().filter(|(_, fails)| !fails).map(|(key, _)| (*key).to_owned()).collect();
            assert_eq!(keys(&connection), kept, "{failing}");
        }
    }

    #[test]
    fn what_waits_is_written_under_one_commit() {
        let directory = tempfile::tempdir().unwrap();
        let mut connection = database(directory.path());
        let commits = std::sync::Arc::new(std::sync::atomic::AtomicU32::new(0));
        let count = std::sync::Arc::clone(&commits);
        connection
            .commit_hook(Some(move || {
                count.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                false
            }))
            .unwrap();
        let (queue, jobs) = sync_channel(100);
        let names: Vec<&'static str> = ["a", "b", "c", "d", "e"].into();
        for name in &names {
            assert!(queue.send(job(name, 1).0).is_ok());
        }
        drop(queue);
        serve(&connection, &jobs, &RowSeals::default(), &Known::default(), &PeopleVersion::default());
        assert_eq!(keys(&connection), names);
        assert_eq!(commits.load(std::sync::atomic::Ordering::Relaxed), 1);
    }
}
