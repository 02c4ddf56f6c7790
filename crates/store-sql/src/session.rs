use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use sealyard_store::{StoreError, Transaction};

use crate::sql::{Dialect, Parameters, Row};
use crate::{postgres, sqlite};

/// All repositories over one connection, inside of a transaction that its owner began and ends.
#[derive(Debug)]
pub(crate) struct Session<'a> {
    connection: Connection<'a>,
}

/// The database at the other end.
#[derive(Debug, Clone, Copy)]
enum Connection<'a> {
    Sqlite(&'a rusqlite::Connection),
    Postgres(&'a postgres::Connection),
}

impl Transaction for Session<'_> {}

/// A statement is SQL that every database here understands, with `?1`, `?2`, … for its parameters. Where a statement must
/// differ, its text depends on [`Session::dialect`]. Each is compiled once for a connection.
///
/// No statement may fail on a duplicate key, since PostgreSQL gives up the whole transaction then: it says `ON CONFLICT DO
/// NOTHING` and its caller looks at what happened.
impl<'a> Session<'a> {
    pub(crate) const fn sqlite(connection: &'a rusqlite::Connection) -> Self {
        Self { connection: Connection::Sqlite(connection) }
    }

    pub(crate) const fn postgres(connection: &'a postgres::Connection) -> Self {
        Self { connection: Connection::Postgres(connection) }
    }

    pub(crate) const fn dialect(&self) -> Dialect {
        match self.connection {
            Connection::Sqlite(_) => Dialect::Sqlite,
            Connection::Postgres(_) => Dialect::Postgres,
        }
    }

    /// Runs one statement; gives how many rows it changed.
    pub(crate) fn execute(&self, sql: &str, parameters: impl Parameters) -> Result<usize, StoreError> {
        match self.connection {
            Connection::Sqlite(connection) => sqlite::execute(connection, sql, parameters.values().as_ref()),
            Connection::Postgres(connection) => connection.execute(sql, parameters.values().as_ref()),
        }
    }

    /// Runs one statement once for each set of parameters, in their order, without waiting for an answer in between; gives
    /// how many rows all of them changed.
    pub(crate) fn execute_many<P: Parameters>(
        &self,
        sql: &str,
        rows: impl IntoIterator<Item = P>,
    ) -> Result<usize, StoreError> {
        match self.connection {
            Connection::Sqlite(connection) => sqlite::execute_many(connection, sql, rows),
            Connection::Postgres(connection) => connection.execute_many(sql, rows, !sql.contains("DO UPDATE")),
        }
    }

    /// Runs an `INSERT … ON CONFLICT … DO UPDATE` once for each set of parameters; gives how many rows all of them changed. Of
    /// several with one `key`, the one that `wins` over those before it may stand for all.
    pub(crate) fn upsert_many<P: Parameters, K: Ord>(
        &self,
        sql: &str,
        rows: impl IntoIterator<Item = P>,
        key: impl Fn(&P) -> K,
        wins: impl Fn(&P, &P) -> bool,
    ) -> Result<usize, StoreError> {
        match self.connection {
            Connection::Sqlite(connection) => sqlite::execute_many(connection, sql, rows),
            Connection::Postgres(connection) => {
                let mut chosen: Vec<P> = Vec::new();
                let mut places = BTreeMap::new();
                for row in rows {
                    match places.entry(key(&row)) {
                        Entry::Vacant(entry) => {
                            entry.insert(chosen.len());
                            chosen.push(row);
                        }
                        Entry::Occupied(entry) => {
                            if let Some(there) = chosen.get_mut(*entry.get())
                                && wins(&row, there)
                            {
                                *there = row;
                            }
                        }
                    }
                }
                connection.execute_many(sql, chosen, true)
            }
        }
    }

    /// Runs an `INSERT … ON CONFLICT DO NOTHING RETURNING number`; gives the new row's number, or `None` where a row with
    /// that key is there already.
    pub(crate) fn insert(&self, sql: &str, parameters: impl Parameters) -> Result<Option<i64>, StoreError> {
        self.optional(sql, parameters, |row| row.get(0))
    }

    /// The first row of a query, if there is one.
    pub(crate) fn optional<T>(
        &self,
        sql: &str,
        parameters: impl Parameters,
        read: impl FnOnce(&Row<'_>) -> Result<T, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        match self.connection {
            Connection::Sqlite(connection) => sqlite::optional(connection, sql, parameters.values().as_ref(), read),
            Connection::Postgres(connection) => connection.optional(sql, parameters.values().as_ref(), read),
        }
    }

    /// All rows of a query.
    pub(crate) fn all<T>(
        &self,
        sql: &str,
        parameters: impl Parameters,
        read: impl FnMut(&Row<'_>) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        match self.connection {
            Connection::Sqlite(connection) => sqlite::all(connection, sql, parameters.values().as_ref(), read),
            Connection::Postgres(connection) => connection.all(sql, parameters.values().as_ref(), read),
        }
    }

    /// Whether a query has any row.
    pub(crate) fn exists(&self, sql: &str, parameters: impl Parameters) -> Result<bool, StoreError> {
        Ok(self.optional(sql, parameters, |_| Ok(()))?.is_some())
    }
}
