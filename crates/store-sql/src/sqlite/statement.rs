use std::cell::RefCell;

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{CachedStatement, Connection, Rows, ToSql, ffi, params_from_iter};
use sealyard_store::StoreError;

use crate::error::backend;
use crate::sql::{Parameters, Row, Value};

impl ToSql for Value<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Integer(number) => ValueRef::Integer(*number),
            Self::Real(number) => ValueRef::Real(*number),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Blob(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

thread_local! {
    /// Why the last statement of this thread failed. Who notices later that the database ended the transaction has no error of
    /// its own, as the work that met it may have passed on another one, or none.
    static FAILURE: RefCell<Option<(ffi::Error, String)>> = const { RefCell::new(None) };
}

/// Why a statement of this thread failed since this was asked the last time.
pub(crate) fn take_failure() -> Option<(ffi::Error, String)> {
    FAILURE.take()
}

fn failed(error: rusqlite::Error) -> StoreError {
    if let Some(code) = error.sqlite_error() {
        FAILURE.set(Some((*code, error.to_string())));
    }
    backend(error)
}

/// The compiled statement of `sql`, from the connection's cache.
fn compiled<'c>(connection: &'c Connection, sql: &str) -> Result<CachedStatement<'c>, StoreError> {
    connection.prepare_cached(sql).map_err(failed)
}

fn query<'s>(statement: &'s mut CachedStatement<'_>, values: &[Value<'_>]) -> Result<Rows<'s>, StoreError> {
    statement.query(params_from_iter(values)).map_err(failed)
}

pub(crate) fn execute(connection: &Connection, sql: &str, values: &[Value<'_>]) -> Result<usize, StoreError> {
    compiled(connection, sql)?.execute(params_from_iter(values)).map_err(failed)
}

pub(crate) fn execute_many<P: Parameters>(
    connection: &Connection,
    sql: &str,
    rows: impl IntoIterator<Item = P>,
) -> Result<usize, StoreError> {
    let mut statement = compiled(connection, sql)?;
    let mut changed = 0;
    for row in rows {
        changed += statement.execute(params_from_iter(row.values().as_ref())).map_err(failed)?;
    }
    Ok(changed)
}

pub(crate) fn optional<T>(
    connection: &Connection,
    sql: &str,
    values: &[Value<'_>],
    read: impl FnOnce(&Row<'_>) -> Result<T, StoreError>,
) -> Result<Option<T>, StoreError> {
    let mut statement = compiled(connection, sql)?;
    let mut rows = query(&mut statement, values)?;
    // An `INSERT … RETURNING` has done all of its work by its first row.
    rows.next().map_err(failed)?.map(|row| read(&Row::Sqlite(row))).transpose()
}

pub(crate) fn all<T>(
    connection: &Connection,
    sql: &str,
    values: &[Value<'_>],
    mut read: impl FnMut(&Row<'_>) -> Result<T, StoreError>,
) -> Result<Vec<T>, StoreError> {
    let mut statement = compiled(connection, sql)?;
    let mut rows = query(&mut statement, values)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next().map_err(failed)? {
        found.push(read(&Row::Sqlite(row))?);
    }
    Ok(found)
}
