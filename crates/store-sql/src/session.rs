use std::cell::RefCell;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use sealyard_store::model::DEFAULT_WORKSPACE;
use sealyard_store::{StoreError, Transaction};

use crate::doors::{is_guarded, is_of_gateway};
use crate::seals::{Changes, RowSeals};
use crate::sql::{Dialect, Parameters, Row};
use crate::{postgres, sqlite};

/// All repositories over one connection, inside of a transaction that its owner began and ends.
///
/// A session is in one workspace, the first one unless it [`enter`](Transaction::enter)s another. What is named from outside,
/// by an id, a name or an owner, is only looked for in it; from there on a row is named by its number, which nobody outside
/// knows. See [`doors`](crate::doors) for what keeps it so.
#[derive(Debug)]
pub(crate) struct Session<'a> {
    connection: Connection<'a>,
    workspace: i64,
    seals: Option<&'a RowSeals>,
    /// What came and went among the sealed rows, and is not yet noted with their sets.
    changes: RefCell<Changes>,
}

/// The database at the other end.
#[derive(Debug, Clone, Copy)]
enum Connection<'a> {
    Sqlite(&'a rusqlite::Connection),
    Postgres(&'a postgres::Connection),
}

impl Transaction for Session<'_> {
    fn enter(&mut self, workspace: i64) {
        self.workspace = workspace;
    }
}

/// A statement is SQL that every database here understands, with `?1`, `?2`, … for its parameters. Where a statement must
/// differ, its text depends on [`Session::dialect`]. Each is compiled once for a connection.
///
/// No statement may fail on a duplicate key, since PostgreSQL gives up the whole transaction then: it says `ON CONFLICT DO
/// NOTHING` and its caller looks at what happened.
impl<'a> Session<'a> {
    pub(crate) const fn sqlite(connection: &'a rusqlite::Connection) -> Self {
        Self {
            connection: Connection::Sqlite(connection),
            workspace: DEFAULT_WORKSPACE,
            seals: None,
            changes: RefCell::new(Changes::none()),
        }
    }

    pub(crate) const fn postgres(connection: &'a postgres::Connection) -> Self {
        Self {
            connection: Connection::Postgres(connection),
            workspace: DEFAULT_WORKSPACE,
            seals: None,
            changes: RefCell::new(Changes::none()),
        }
    }

    /// The same where rows are sealed.
    pub(crate) fn sealing(self, seals: &'a RowSeals) -> Self {
        Self { seals: Some(seals), ..self }
    }

    pub(crate) const fn seals(&self) -> Option<&RowSeals> {
        self.seals
    }

    pub(crate) const fn changes(&self) -> &RefCell<Changes> {
        &self.changes
    }

    /// Refuses a database whose schema is not what this release makes.
    pub(crate) fn check_schema(&self) -> Result<(), StoreError> {
        match self.connection {
            Connection::Sqlite(connection) => sqlite::check_schema(connection),
            Connection::Postgres(connection) => postgres::check_schema(connection),
        }
    }

    /// The number of the workspace it is in.
    pub(crate) const fn workspace(&self) -> i64 {
        self.workspace
    }

    pub(crate) const fn dialect(&self) -> Dialect {
        match self.connection {
            Connection::Sqlite(_) => Dialect::Sqlite,
            Connection::Postgres(_) => Dialect::Postgres,
        }
    }

    /// Whether a statement is about the AI gateway, which is in the default workspace alone, and this is another one. There
    /// it finds nothing, changes nothing, and makes nothing.
    fn has_no_gateway(&self, sql: &str) -> Result<bool, StoreError> {
        let none = self.workspace != DEFAULT_WORKSPACE && is_of_gateway(sql);
        if none && sql.starts_with("INSERT") {
            return Err(StoreError::Conflict("the AI gateway is in the default workspace alone".to_owned()));
        }
        Ok(none)
    }

    /// Runs one statement; gives how many rows it changed.
    pub(crate) fn execute(&self, sql: &str, parameters: impl Parameters) -> Result<usize, StoreError> {
        debug_assert!(is_guarded(sql), "a statement names rows that may be of another workspace: {sql}");
        if self.has_no_gateway(sql)? {
            return Ok(0);
        }
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
        debug_assert!(is_guarded(sql), "a statement names rows that may be of another workspace: {sql}");
        if self.has_no_gateway(sql)? {
            return Ok(0);
        }
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
        debug_assert!(is_guarded(sql), "a statement names rows that may be of another workspace: {sql}");
        if self.has_no_gateway(sql)? {
            return Ok(0);
        }
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
        // SQLite would keep the answer in a table of its own for the time of the statement; it knows the number anyway.
        match (self.connection, sql.strip_suffix(" RETURNING number")) {
            (Connection::Sqlite(connection), Some(bare)) => {
                let changed = self.execute(bare, parameters)?;
                Ok((changed > 0).then(|| connection.last_insert_rowid()))
            }
            _ => self.optional(sql, parameters, |row| row.get(0)),
        }
    }

    /// The first row of a query, if there is one.
    pub(crate) fn optional<T>(
        &self,
        sql: &str,
        parameters: impl Parameters,
        read: impl FnOnce(&Row<'_>) -> Result<T, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        debug_assert!(is_guarded(sql), "a statement names rows that may be of another workspace: {sql}");
        self.optional_in_scope(sql, parameters, read)
    }

    /// The same for a search, whose scope says in which workspace or experiments it looks.
    pub(crate) fn optional_in_scope<T>(
        &self,
        sql: &str,
        parameters: impl Parameters,
        read: impl FnOnce(&Row<'_>) -> Result<T, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        if self.has_no_gateway(sql)? {
            return Ok(None);
        }
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
        debug_assert!(is_guarded(sql), "a statement names rows that may be of another workspace: {sql}");
        self.all_in_scope(sql, parameters, read)
    }

    /// The same for a search, whose scope says in which workspace or experiments it looks.
    pub(crate) fn all_in_scope<T>(
        &self,
        sql: &str,
        parameters: impl Parameters,
        read: impl FnMut(&Row<'_>) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        if self.has_no_gateway(sql)? {
            return Ok(Vec::new());
        }
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
