use rusqlite::{CachedStatement, Connection};
use sealyard_store::{StoreError, Transaction};

use crate::error::OrBackend as _;

/// All repositories over one connection, inside of a transaction that its owner began and ends.
#[derive(Debug)]
pub(crate) struct Session<'a> {
    pub(crate) connection: &'a Connection,
}

impl Transaction for Session<'_> {}

impl Session<'_> {
    /// The compiled statement of `sql`, from the connection's cache.
    pub(crate) fn statement(&self, sql: &str) -> Result<CachedStatement<'_>, StoreError> {
        self.connection.prepare_cached(sql).or_backend()
    }

    /// Runs one statement; gives how many rows it changed.
    pub(crate) fn execute(&self, sql: &str, parameters: impl rusqlite::Params) -> Result<usize, StoreError> {
        self.statement(sql)?.execute(parameters).or_backend()
    }

    /// The one row of a query, if there is one.
    pub(crate) fn optional<T>(
        &self,
        sql: &str,
        parameters: impl rusqlite::Params,
        read: impl FnOnce(&rusqlite::Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Option<T>, StoreError> {
        use rusqlite::OptionalExtension as _;
        self.statement(sql)?.query_row(parameters, read).optional().or_backend()
    }

    /// All rows of a query.
    pub(crate) fn all<T>(
        &self,
        sql: &str,
        parameters: impl rusqlite::Params,
        read: impl FnMut(&rusqlite::Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, StoreError> {
        self.statement(sql)?.query_map(parameters, read).or_backend()?.collect::<Result<_, _>>().or_backend()
    }

    /// Whether a query has any row.
    pub(crate) fn exists(&self, sql: &str, parameters: impl rusqlite::Params) -> Result<bool, StoreError> {
        self.statement(sql)?.exists(parameters).or_backend()
    }
}
