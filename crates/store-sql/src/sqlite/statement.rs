use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{CachedStatement, Connection, Rows, ToSql, params_from_iter};
use sealyard_store::StoreError;

use crate::error::OrBackend as _;
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

/// The compiled statement of `sql`, from the connection's cache.
fn compiled<'c>(connection: &'c Connection, sql: &str) -> Result<CachedStatement<'c>, StoreError> {
    connection.prepare_cached(sql).or_backend()
}

fn query<'s>(statement: &'s mut CachedStatement<'_>, values: &[Value<'_>]) -> Result<Rows<'s>, StoreError> {
    statement.query(params_from_iter(values)).or_backend()
}

pub(crate) fn execute(connection: &Connection, sql: &str, values: &[Value<'_>]) -> Result<usize, StoreError> {
    compiled(connection, sql)?.execute(params_from_iter(values)).or_backend()
}

pub(crate) fn execute_many<P: Parameters>(
    connection: &Connection,
    sql: &str,
    rows: impl IntoIterator<Item = P>,
) -> Result<usize, StoreError> {
    let mut statement = compiled(connection, sql)?;
    let mut changed = 0;
    for row in rows {
        changed += statement.execute(params_from_iter(row.values().as_ref())).or_backend()?;
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
    rows.next().or_backend()?.map(|row| read(&Row::Sqlite(row))).transpose()
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
    while let Some(row) = rows.next().or_backend()? {
        found.push(read(&Row::Sqlite(row))?);
    }
    Ok(found)
}
