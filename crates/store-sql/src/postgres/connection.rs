use std::cell::{Cell, RefCell};
use std::fmt;
use std::time::{Duration, Instant};

use futures::future::try_join_all;
use sealyard_store::StoreError;
use tokio::runtime::Runtime;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, NoTls, Statement};

use super::batch::{Array, of_many};
use super::error::{is_lost, store_error};
use super::migrate;
use super::statement::{Cache, numbered};
use super::tls::connector;
use super::url::PostgresUrl;
use crate::error::backend;
use crate::sql::{Parameters, Row, Value};

/// Statements of one list that are on their way at the same time.
const PIPELINE: usize = 30;
/// From how many rows on they become one statement, and how many at most.
const FEW: usize = 3;
const MANY: usize = 1000;

/// A connection for one thread. It drives its socket only while it waits for an answer.
pub(crate) struct Connection {
    runtime: Runtime,
    client: Client,
    statements: RefCell<Cache>,
    /// Longest wait for an answer; a server that is silent for longer counts as lost.
    patience: Duration,
    deadline: Cell<Option<Instant>>,
    failed: Cell<bool>,
    lost: Cell<bool>,
}

impl Connection {
    /// Connects; what is set for the session cannot be less safe than what the server has.
    pub(crate) fn open(url: &PostgresUrl, patience: Duration) -> Result<Self, StoreError> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(backend)?;
        let config = &url.config;
        let connect = async {
            // The future that moves the bytes runs beside, on this thread's runtime.
            match &url.roots {
                None => {
                    let (client, moves) = config.connect(NoTls).await.map_err(connect_error)?;
                    tokio::spawn(async move { drop(moves.await) });
                    Ok::<_, StoreError>(client)
                }
                Some(roots) => {
                    let (client, moves) = config.connect(connector(roots)?).await.map_err(connect_error)?;
                    tokio::spawn(async move { drop(moves.await) });
                    Ok(client)
                }
            }
        };
        let client = runtime
            .block_on(async { tokio::time::timeout(patience, connect).await })
            .map_err(|_| StoreError::Unavailable)??;
        let connection = Self {
            runtime,
            client,
            statements: RefCell::default(),
            patience,
            deadline: Cell::new(None),
            failed: Cell::new(false),
            lost: Cell::new(false),
        };
        connection.look_in_one_schema()?;
        connection.batch(
            "SET standard_conforming_strings = on; SET timezone = 'UTC'; SET quote_all_identifiers = off; SET lock_timeout = '30s';
             SET idle_in_transaction_session_timeout = '5min';
             SELECT set_config('synchronous_commit', 'on', false)
                 WHERE current_setting('synchronous_commit') NOT IN ('on', 'remote_apply');",
        )?;
        Ok(connection)
    }

    /// From now on names are looked for in the catalog's schema alone, and in the database's own before it: an operator or function of
    /// another schema that a user's `search_path` names would have a say in what each statement means. So every name in these
    /// statements says where it is.
    fn look_in_one_schema(&self) -> Result<(), StoreError> {
        let sql = "SELECT CAST(pg_catalog.current_schema() AS pg_catalog.text)";
        match self.optional(sql, &[], |row| row.get::<Option<String>>(0))?.flatten() {
            Some(schema) if !schema.starts_with("pg_") && schema != "information_schema" => {}
            _ => {
                return Err(StoreError::Invalid(
                    "the database's user has no schema to keep the catalog in; hint: CREATE SCHEMA sealyard AUTHORIZATION \
                     <the user>, and ALTER ROLE <the user> SET search_path = sealyard"
                        .to_owned(),
                ));
            }
        }
        self.batch(
            "SELECT pg_catalog.set_config('search_path',
                 pg_catalog.concat(pg_catalog.quote_ident(pg_catalog.current_schema()), ', pg_temp'), false)",
        )
    }

    /// From now on an answer may take this long.
    pub(crate) const fn set_patience(&mut self, patience: Duration) {
        self.patience = patience;
    }

    /// Runs statements without parameters, one after the other; the first that fails ends it.
    pub(crate) fn batch(&self, sql: &str) -> Result<(), StoreError> {
        self.wait(self.client.batch_execute(sql))
    }

    pub(crate) fn execute(&self, sql: &str, values: &[Value<'_>]) -> Result<usize, StoreError> {
        check_text(values)?;
        let statement = self.compiled(sql)?;
        let changed = self.wait(self.client.execute(&statement, &parameters(values)))?;
        Ok(usize::try_from(changed).unwrap_or(usize::MAX))
    }

    /// With `distinct`, no two rows may concern the same row of the table; then they can be one statement.
    pub(crate) fn execute_many<P: Parameters>(
        &self,
        sql: &str,
        rows: impl IntoIterator<Item = P>,
        distinct: bool,
    ) -> Result<usize, StoreError> {
        let rows: Vec<P> = rows.into_iter().collect();
        let values: Vec<_> = rows.iter().map(Parameters::values).collect();
        for row in &values {
            check_text(row.as_ref())?;
        }
        if values.is_empty() {
            return Ok(0);
        }
        let statement = self.compiled(sql)?;
        let mut changed = 0;
        if distinct
            && values.len() >= FEW
            && let Some(many) = self.compiled_many(sql, &statement)?
        {
            for some in values.chunks(MANY) {
                let column = |index| some.iter().filter_map(|row| row.as_ref().get(index)).collect();
                let columns: Vec<Array<'_>> = (0..statement.params().len()).map(|index| Array(column(index))).collect();
                let columns: Vec<_> = columns.iter().map(|column| column as &(dyn ToSql + Sync)).collect();
                changed += self.wait(self.client.execute(&many, &columns))?;
            }
        } else {
            for some in values.chunks(PIPELINE) {
                // Each is sent when it is looked at for the first time, which is in their order; so are they run.
                let counts = self.wait(try_join_all(
                    some.iter().map(|row| async { self.client.execute(&statement, &parameters(row.as_ref())).await }),
                ))?;
                changed += counts.into_iter().sum::<u64>();
            }
        }
        Ok(usize::try_from(changed).unwrap_or(usize::MAX))
    }

    pub(crate) fn optional<T>(
        &self,
        sql: &str,
        values: &[Value<'_>],
        read: impl FnOnce(&Row<'_>) -> Result<T, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        self.rows(sql, values)?.first().map(|row| read(&Row::Postgres(row))).transpose()
    }

    pub(crate) fn all<T>(
        &self,
        sql: &str,
        values: &[Value<'_>],
        mut read: impl FnMut(&Row<'_>) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        self.rows(sql, values)?.iter().map(|row| read(&Row::Postgres(row))).collect()
    }

    /// From now on no statement begins after `deadline`.
    pub(crate) fn set_deadline(&self, deadline: Option<Instant>) {
        self.deadline.set(deadline);
    }

    /// Whether a statement failed since the last look: then the server has given up the transaction, whatever the work that
    /// ran the statement made of it.
    pub(crate) fn take_failed(&self) -> bool {
        self.failed.replace(false)
    }

    /// Whether the connection is of no use any more.
    pub(crate) fn is_lost(&self) -> bool {
        self.lost.get() || self.client.is_closed()
    }

    fn rows(&self, sql: &str, values: &[Value<'_>]) -> Result<Vec<tokio_postgres::Row>, StoreError> {
        check_text(values)?;
        let statement = self.compiled(sql)?;
        self.wait(self.client.query(&statement, &parameters(values)))
    }

    fn compiled(&self, sql: &str) -> Result<Statement, StoreError> {
        if let Some(statement) = self.statements.borrow_mut().get(sql) {
            return Ok(statement);
        }
        let statement = self.wait(self.client.prepare(&numbered(sql)))?;
        self.statements.borrow_mut().put(sql.to_owned(), statement.clone());
        Ok(statement)
    }

    /// The statement that does for many rows what `single`, compiled from `sql`, does for one.
    fn compiled_many(&self, sql: &str, single: &Statement) -> Result<Option<Statement>, StoreError> {
        let key = format!("many: {sql}");
        if let Some(statement) = self.statements.borrow_mut().get(&key) {
            return Ok(Some(statement));
        }
        let Some(text) = of_many(sql, single.params()) else { return Ok(None) };
        let statement = self.wait(self.client.prepare(&text))?;
        self.statements.borrow_mut().put(key, statement.clone());
        Ok(Some(statement))
    }

    fn wait<T>(&self, answer: impl Future<Output = Result<T, tokio_postgres::Error>>) -> Result<T, StoreError> {
        if self.deadline.get().is_some_and(|deadline| Instant::now() >= deadline) {
            return Err(StoreError::TooLong);
        }
        match self.runtime.block_on(async { tokio::time::timeout(self.patience, answer).await }) {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => {
                self.failed.set(true);
                self.lost.set(self.lost.get() || is_lost(&error));
                Err(store_error(error))
            }
            Err(_) => {
                tracing::warn!(seconds = self.patience.as_secs(), "the catalog's database does not answer");
                self.failed.set(true);
                self.lost.set(true);
                Err(StoreError::Unavailable)
            }
        }
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").field("lost", &self.is_lost()).finish_non_exhaustive()
    }
}

/// An error while connecting is always worth another try, but the server's own words, such as a wrong password, are what the
/// operator must read.
fn connect_error(error: tokio_postgres::Error) -> StoreError {
    if is_lost(&error) { store_error(error) } else { backend(error) }
}

/// Connects to a catalog to read from it, in one snapshot: what is read of it belongs together.
pub(crate) fn connect_to_read(url: &PostgresUrl, patience: Duration) -> Result<Connection, StoreError> {
    let connection = Connection::open(url, patience)?;
    if migrate::check(&connection)? == 0 {
        return Err(StoreError::Invalid("the database has no Sealyard catalog".to_owned()));
    }
    connection.batch("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")?;
    Ok(connection)
}

/// Connects to an empty database and makes a catalog of an earlier or this schema in it, in a transaction that the caller commits.
pub(crate) fn connect_to_load(url: &PostgresUrl, schema: u32, patience: Duration) -> Result<Connection, StoreError> {
    let connection = Connection::open(url, patience)?;
    migrate::begin_at(&connection, schema)?;
    Ok(connection)
}

fn parameters<'v>(values: &'v [Value<'_>]) -> Vec<&'v (dyn ToSql + Sync)> {
    values.iter().map(|value| value as &(dyn ToSql + Sync)).collect()
}

/// PostgreSQL's text has no NUL.
fn check_text(values: &[Value<'_>]) -> Result<(), StoreError> {
    let has_nul = |value: &Value<'_>| matches!(value, Value::Text(text) if text.as_bytes().contains(&0));
    if values.iter().any(has_nul) {
        return Err(StoreError::Invalid("a text has a NUL character, which the database can't hold".to_owned()));
    }
    Ok(())
}
