//! The schema is the one that the steps make: a trigger, view, generated column or default that somebody else put there would change
//! what the server writes.

use std::cell::Cell;
use std::collections::BTreeSet;

use rusqlite::Connection;
use sealyard_core::Digest;
use sealyard_store::StoreError;

use super::migrate::MIGRATIONS;
use crate::error::OrBackend as _;

/// What SQLite makes by itself when it looks at how values are spread.
const STATISTICS: [&str; 2] = ["sqlite_stat1", "sqlite_stat4"];

/// Kind, name, table, and the statement with one space where there is any.
type Object = (String, String, String, String);

fn objects(connection: &Connection) -> Result<BTreeSet<Object>, StoreError> {
    let mut statement =
        connection.prepare("SELECT type, name, tbl_name, coalesce(sql, '') FROM main.sqlite_schema").or_backend()?;
    let rows = statement
        .query_map([], |row| {
            let sql: String = row.get(3)?;
            let sql = sql.split_ascii_whitespace().collect::<Vec<_>>().join(" ");
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, sql))
        })
        .or_backend()?;
    let found: BTreeSet<Object> = rows.collect::<Result<_, _>>().or_backend()?;
    Ok(found.into_iter().filter(|(kind, name, ..)| !(kind == "table" && STATISTICS.contains(&name.as_str()))).collect())
}

/// What all steps make has this digest: to take them takes longer than a start should. A test says what it is.
const ALL_STEPS: &str = "8d153b929c8e72cb50579b3c973ad6b4efb9039bcf354a64672efad37f362e12";

fn digest(objects: &BTreeSet<Object>) -> Digest {
    let mut text = String::new();
    for (kind, name, table, sql) in objects {
        for part in [kind, name, table, sql] {
            text.push_str(&format!("{} {part}\n", part.len()));
        }
    }
    Digest::of(text.as_bytes())
}

/// Refuses a database whose schema is not what its first `steps` steps make.
pub(crate) fn check(connection: &Connection, steps: u32) -> Result<(), StoreError> {
    let found = objects(connection)?;
    if steps as usize == MIGRATIONS.len() && digest(&found).to_hex() == ALL_STEPS {
        return Ok(());
    }
    let reference = Connection::open_in_memory().or_backend()?;
    for step in MIGRATIONS.iter().take(steps as usize) {
        reference.execute_batch(step).or_backend()?;
    }
    let right = objects(&reference)?;
    let Some((kind, name, table, _)) = right.symmetric_difference(&found).next() else { return Ok(()) };
    let what = if name == table { format!("{kind} {name}") } else { format!("{kind} {name} of {table}") };
    Err(StoreError::Schema(what))
}

/// Refuses a database whose schema is not what this release makes.
pub(crate) fn check_now(connection: &Connection) -> Result<(), StoreError> {
    check(connection, MIGRATIONS.len() as u32)
}

/// The schema as it was when it was looked at.
#[derive(Debug, Default)]
pub(crate) struct Known(Cell<Option<i64>>);

impl Known {
    /// The schema that the connection has after [`check`].
    pub(crate) fn of(connection: &Connection) -> Result<Self, StoreError> {
        Ok(Self(Cell::new(Some(version(connection).or_backend()?))))
    }

    /// Looks at the schema again where it is not the same any more, in a transaction that has begun.
    pub(crate) fn check(&self, connection: &Connection) -> Result<(), StoreError> {
        let Some(known) = self.0.get() else { return Ok(()) };
        let now = version(connection).or_backend()?;
        if now != known {
            check_now(connection)?;
            self.0.set(Some(now));
        }
        Ok(())
    }
}

/// A number that every change of the schema makes another.
fn version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.prepare_cached("PRAGMA main.schema_version")?.query_row([], |row| row.get(0))
}

#[cfg(test)]
mod tests {
    use super::super::migrate::{begin_at, migrate};
    use super::*;

    const PLANTED: &[&str] = &[
        "CREATE TRIGGER t AFTER INSERT ON grants BEGIN UPDATE grants SET permission = 'MANAGE'; END",
        "CREATE VIEW v AS SELECT 1",
        "CREATE TABLE more (a)",
        "CREATE INDEX i ON grants (permission)",
        "DROP INDEX tokens_by_user",
        "DROP TRIGGER ledger_entries_stay",
        "ALTER TABLE users ADD COLUMN x INTEGER GENERATED ALWAYS AS (1) VIRTUAL",
        "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = replace(sql, '''None''', '''Production''')
             WHERE name = 'model_versions'; PRAGMA writable_schema = OFF",
    ];

    #[test]
    fn the_digest_is_that_of_all_steps() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection, sealyard_core::Timestamp::from_millis(5)).unwrap();
        assert_eq!(digest(&objects(&connection).unwrap()).to_hex(), ALL_STEPS);
    }

    #[test]
    fn what_no_step_made_is_refused() {
        for planted in PLANTED {
            let mut connection = Connection::open_in_memory().unwrap();
            migrate(&mut connection, sealyard_core::Timestamp::from_millis(5)).unwrap();
            connection.execute_batch("ANALYZE").unwrap();
            migrate(&mut connection, sealyard_core::Timestamp::from_millis(5)).unwrap();
            let known = Known::of(&connection).unwrap();
            known.check(&connection).unwrap();
            connection.execute_batch(planted).unwrap();
            let refused = migrate(&mut connection, sealyard_core::Timestamp::from_millis(5));
            assert!(matches!(refused, Err(StoreError::Schema(_))), "{planted}: {refused:?}");
            if !planted.starts_with("PRAGMA") {
                assert!(matches!(known.check(&connection), Err(StoreError::Schema(_))), "{planted}");
            }
        }
    }

    /// Before a step runs: what is planted would take part in it.
    #[test]
    fn also_before_an_upgrade() {
        for steps in 1..MIGRATIONS.len() as u32 {
            let mut connection = Connection::open_in_memory().unwrap();
            begin_at(&connection, steps).unwrap();
            check(&connection, steps).unwrap();
            connection.execute_batch(PLANTED[0]).unwrap();
            let refused = migrate(&mut connection, sealyard_core::Timestamp::from_millis(5));
            assert!(matches!(refused, Err(StoreError::Schema(_))), "{steps}: {refused:?}");
        }
    }
}
