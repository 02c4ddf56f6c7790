use std::time::Duration;

use sealyard_store::StoreError;

use super::database::{Budget, Cell, Cells, Database};
use crate::error::corrupt;
use crate::postgres::{Connection, PostgresUrl};
use crate::sql::{Row, Value, ValueRef};

/// How long an answer may take: counting a large table takes its time.
const PATIENCE: Duration = Duration::from_secs(600);

/// MLflow's database in PostgreSQL.
pub(super) struct Postgres {
    connection: Connection,
}

impl std::fmt::Debug for Postgres {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Postgres").finish_non_exhaustive()
    }
}

impl Postgres {
    /// Connects, and begins to look at what it holds now: MLflow may go on writing meanwhile.
    pub(super) fn open(url: &PostgresUrl) -> Result<Self, StoreError> {
        let connection = Connection::open(url, PATIENCE)?;
        connection.batch(
            "SET idle_in_transaction_session_timeout = 0; BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY",
        )?;
        Ok(Self { connection })
    }
}

fn value(cell: &Cell) -> Value<'_> {
    match cell {
        Cell::Null => Value::Null,
        Cell::Integer(number) => Value::from(*number),
        Cell::Real(number) => Value::from(*number),
        Cell::Text(text) => Value::from(text.as_str()),
    }
}

fn cells(row: &Row<'_>, budget: &mut Budget) -> Result<Cells, StoreError> {
    let mut cells = Vec::with_capacity(row.columns());
    for index in 0..row.columns() {
        let value = row.value(index)?;
        budget.cell(if let ValueRef::Text(text) = value { text.len() } else { 0 })?;
        cells.push(match value {
            ValueRef::Null => Cell::Null,
            ValueRef::Integer(number) => Cell::Integer(number),
            ValueRef::Real(number) => Cell::Real(number),
            ValueRef::Text(text) => Cell::Text(text.to_owned()),
            ValueRef::Blob(_) => return Err(corrupt("bytes in the source where text should be")),
        });
    }
    Ok(Cells(cells))
}

impl Database for Postgres {
    fn rows(&mut self, sql: &str, parameters: &[Cell]) -> Result<Vec<Cells>, StoreError> {
        let values: Vec<Value<'_>> = parameters.iter().map(value).collect();
        let mut budget = Budget::default();
        self.connection.all(sql, &values, |row| cells(row, &mut budget))
    }

    fn columns(&mut self, table: &str) -> Result<Vec<String>, StoreError> {
        let sql = "SELECT CAST(column_name AS TEXT) FROM information_schema.columns
            WHERE table_schema = current_schema() AND table_name = ?1 ORDER BY 1";
        self.rows(sql, &[table.into()])?.iter().map(|row| row.text(0)).collect()
    }

    fn tables(&mut self) -> Result<Vec<String>, StoreError> {
        let sql = "SELECT CAST(table_name AS TEXT) FROM information_schema.tables
            WHERE table_schema = current_schema() AND table_type = 'BASE TABLE' ORDER BY 1";
        self.rows(sql, &[])?.iter().map(|row| row.text(0)).collect()
    }

    fn is_loose(&self) -> bool {
        false
    }
}
