use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::path::Path;
use std::time::Duration;

use sealyard_store::StoreError;

use super::format::{DumpTable, DumpValue};
use super::order::{self, Table};
use super::quoted;
use super::read::{DumpItem, DumpReader, malformed};
use crate::doors::ALL;
use crate::postgres::{self, PostgresUrl};
use crate::session::Session;
use crate::sql::Value;
use crate::sqlite;

/// Rows and bytes that are written at a time.
const ROWS: usize = 500;
const BYTES: usize = 4 << 20;
/// How long one statement may take.
const PATIENCE: Duration = Duration::from_hours(24);

/// Which rows of a table are taken over.
type Keep<'k> = &'k mut dyn FnMut(&DumpTable, &[DumpValue]) -> bool;

/// Makes a catalog at `path`, where there must be none, of the rows of a dump that `keep` lets through. It has the schema of the
/// dump, and takes the steps it lacks when it is opened.
///
/// # Errors
/// [`StoreError::Newer`] for the dump of a newer release; [`StoreError::Invalid`] for what can't be one, and for a file that is
/// there; any error of the database. What was made until then is left, and is to be removed.
pub fn load_sqlite<R: Read>(path: &Path, dump: &mut DumpReader<R>, keep: Keep<'_>) -> Result<(), StoreError> {
    if path.symlink_metadata().is_ok() {
        return Err(StoreError::Invalid(format!("there is a file {} already", path.display())));
    }
    let connection = sqlite::connect_to_load(path, dump.header().schema)?;
    let session = Session::sqlite(&connection);
    load(&session, dump, keep)?;
    sqlite::finish_load(&connection)
}

/// The same in an empty PostgreSQL database. Not to be called on a thread of an asynchronous runtime. It is all there in the
/// end, or nothing.
///
/// # Errors
/// As [`load_sqlite`].
pub fn load_postgres<R: Read>(url: &PostgresUrl, dump: &mut DumpReader<R>, keep: Keep<'_>) -> Result<(), StoreError> {
    let connection = postgres::connect_to_load(url, dump.header().schema, PATIENCE)?;
    let session = Session::postgres(&connection);
    load(&session, dump, keep)?;
    connection.batch("COMMIT")
}

fn load<R: Read>(session: &Session<'_>, dump: &mut DumpReader<R>, keep: Keep<'_>) -> Result<(), StoreError> {
    let tables = order::tables(session)?;
    // A new catalog has a few rows of its own, and the log can't lose any.
    for Table { name, .. } in tables.iter().rev() {
        if session.optional(&format!("{ALL} SELECT 1 FROM \"{name}\" LIMIT 1"), [], |_| Ok(()))?.is_some() {
            session.execute(&format!("{ALL} DELETE FROM \"{name}\""), [])?;
        }
    }
    let mut wanted: BTreeMap<String, BTreeSet<String>> =
        tables.into_iter().map(|table| (table.name, table.columns.into_iter().collect())).collect();
    let mut current: Option<Filling> = None;
    while let Some(item) = dump.next_item()? {
        match item {
            DumpItem::Table(table) => {
                if let Some(filled) = current.take() {
                    filled.finish(session)?;
                }
                let columns = wanted.remove(&table.table);
                if columns.is_none_or(|columns| columns != table.columns.iter().cloned().collect()) {
                    return Err(malformed(&format!("it has a table {} that its schema has not", table.table)));
                }
                current = Some(Filling::new(table));
            }
            DumpItem::Row(row) => {
                let filling = current.as_mut().ok_or_else(|| malformed("a row has no table"))?;
                if keep(&filling.table, &row) {
                    filling.add(session, row)?;
                }
            }
        }
    }
    if let Some(filled) = current {
        filled.finish(session)?;
    }
    match wanted.into_keys().next() {
        Some(missing) => Err(malformed(&format!("the table {missing} is missing"))),
        None => Ok(()),
    }
}

/// A table that rows are put into.
struct Filling {
    table: DumpTable,
    insert: String,
    rows: Vec<Vec<DumpValue>>,
    bytes: usize,
}

impl Filling {
    fn new(table: DumpTable) -> Self {
        let places: Vec<String> = (1..=table.columns.len()).map(|number| format!("?{number}")).collect();
        let (name, columns) = (&table.table, quoted(&table.columns));
        let insert = format!("{ALL} INSERT INTO \"{name}\" ({columns}) VALUES ({})", places.join(", "));
        Self { table, insert, rows: Vec::new(), bytes: 0 }
    }

    fn add(&mut self, session: &Session<'_>, row: Vec<DumpValue>) -> Result<(), StoreError> {
        self.bytes += row.iter().map(DumpValue::size).sum::<usize>();
        self.rows.push(row);
        if self.rows.len() >= ROWS || self.bytes >= BYTES { self.flush(session) } else { Ok(()) }
    }

    fn flush(&mut self, session: &Session<'_>) -> Result<(), StoreError> {
        let rows: Vec<Vec<Value<'_>>> =
            self.rows.iter().map(|row| row.iter().map(DumpValue::as_value).collect()).collect();
        let count = rows.len();
        if count > 0 && session.execute_many(&self.insert, rows)? != count {
            return Err(malformed("rows of it could not be taken over"));
        }
        self.rows.clear();
        self.bytes = 0;
        Ok(())
    }

    fn finish(mut self, session: &Session<'_>) -> Result<(), StoreError> {
        self.flush(session)?;
        let name = &self.table.table;
        let last = self.table.last.unwrap_or(0);
        match session.dialect() {
            crate::sql::Dialect::Sqlite => {
                if self.table.last.is_some() {
                    session.execute("DELETE FROM sqlite_sequence WHERE name = ?1", [name])?;
                    session.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (?1, ?2)", (name, last))?;
                }
            }
            crate::sql::Dialect::Postgres => {
                for (_, sequence) in order::sequences(session)?.into_iter().filter(|(table, _)| table == name) {
                    // A dump of SQLite knows the last number of some tables alone; of the others it is the largest.
                    let sql = format!(
                        "{ALL} SELECT setval(CAST(CAST(?1 AS TEXT) AS regclass), GREATEST(CAST(?2 AS BIGINT), (SELECT coalesce(max(number), 0) FROM \"{name}\"), 1))"
                    );
                    session.optional(&sql, (&sequence, last), |_| Ok(()))?;
                }
            }
        }
        Ok(())
    }
}
