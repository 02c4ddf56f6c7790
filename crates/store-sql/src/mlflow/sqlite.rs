use std::path::Path;

use rusqlite::Connection;
use rusqlite::types::{ToSqlOutput, ValueRef};
use sealyard_store::StoreError;

use super::database::{Budget, Cell, Cells, Database};
use crate::error::{OrBackend as _, corrupt};
use crate::sqlite::connection::connect_offline;

/// MLflow's database in a SQLite file.
#[derive(Debug)]
pub(super) struct Sqlite {
    connection: Connection,
}

impl Sqlite {
    /// Opens it, and begins to look at what it holds now: MLflow may go on writing meanwhile.
    pub(super) fn open(path: &Path) -> Result<Self, StoreError> {
        let metadata = std::fs::metadata(path)
            .map_err(|error| StoreError::Invalid(format!("{} can't be read: {error}", path.display())))?;
        if !metadata.is_file() {
            return Err(StoreError::Invalid(format!("{} is not a file", path.display())));
        }
        let connection = connect_offline(path)?;
        connection.execute_batch("BEGIN DEFERRED").or_backend()?;
        Ok(Self { connection })
    }
}

impl rusqlite::ToSql for Cell {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Integer(number) => ValueRef::Integer(*number),
            Self::Real(number) => ValueRef::Real(*number),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
        }))
    }
}

impl Database for Sqlite {
    fn rows(&mut self, sql: &str, parameters: &[Cell]) -> Result<Vec<Cells>, StoreError> {
        let mut statement = self.connection.prepare_cached(sql).or_backend()?;
        let columns = statement.column_count();
        let mut rows = statement.query(rusqlite::params_from_iter(parameters)).or_backend()?;
        let (mut found, mut budget) = (Vec::new(), Budget::default());
        while let Some(row) = rows.next().or_backend()? {
            let mut cells = Vec::with_capacity(columns);
            for index in 0..columns {
                let value = row.get_ref(index).or_backend()?;
                budget.cell(value.as_bytes_or_null().ok().flatten().map_or(0, <[u8]>::len))?;
                cells.push(match value {
                    ValueRef::Null => Cell::Null,
                    ValueRef::Integer(number) => Cell::Integer(number),
                    ValueRef::Real(number) => Cell::Real(number),
                    ValueRef::Text(text) => {
                        let text =
                            std::str::from_utf8(text).map_err(|_| corrupt("text of the source that is not UTF-8"))?;
                        Cell::Text(text.to_owned())
                    }
                    ValueRef::Blob(_) => return Err(corrupt("bytes in the source where text should be")),
                });
            }
            found.push(Cells(cells));
        }
        Ok(found)
    }

    fn columns(&mut self, table: &str) -> Result<Vec<String>, StoreError> {
        let rows = self.rows("SELECT name FROM pragma_table_info(?1)", &[table.into()])?;
        rows.iter().map(|row| row.text(0)).collect()
    }

    fn tables(&mut self) -> Result<Vec<String>, StoreError> {
        let rows = self.rows("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite@_%' ESCAPE '@' ORDER BY name", &[])?;
        rows.iter().map(|row| row.text(0)).collect()
    }

    fn is_loose(&self) -> bool {
        true
    }
}
