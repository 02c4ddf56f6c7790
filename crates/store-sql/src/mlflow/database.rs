use sealyard_store::StoreError;

use crate::error::corrupt;

/// Bytes of one answer. A page of what MLflow lets in is far below; more is nothing to hold in memory.
const MOST_BYTES: usize = 256 << 20;

/// Bytes that a value takes whatever it is, with its share of what is made of its row.
const CELL: usize = 128;

/// Counts what of an answer is copied. A PostgreSQL server's answer is in memory as a whole before the first of its rows is
/// counted: there, this bounds only the copy, and what bounds the answer are the limits and the sizes in the statements.
#[derive(Debug, Default)]
pub(super) struct Budget(usize);

impl Budget {
    /// Takes a value into account that is about to be copied, with so many bytes of text.
    pub(super) fn cell(&mut self, bytes: usize) -> Result<(), StoreError> {
        self.0 = self.0.saturating_add(CELL).saturating_add(bytes);
        if self.0 > MOST_BYTES {
            return Err(StoreError::Invalid(format!(
                "a page of the source's rows holds more than {MOST_BYTES} bytes, which nothing of MLflow's does"
            )));
        }
        Ok(())
    }
}

/// A value of a row, or a parameter of a statement.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Cell {
    Null,
    Integer(i64),
    Real(f64),
    Text(String),
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<i64> for Cell {
    fn from(number: i64) -> Self {
        Self::Integer(number)
    }
}

/// One row, in the order of the statement's columns.
#[derive(Debug)]
pub(super) struct Cells(pub(super) Vec<Cell>);

impl Cells {
    fn cell(&self, index: usize) -> Result<&Cell, StoreError> {
        self.0.get(index).ok_or_else(|| corrupt("column of the source"))
    }

    /// A text; NULL is an empty one.
    pub(super) fn text(&self, index: usize) -> Result<String, StoreError> {
        Ok(self.optional_text(index)?.unwrap_or_default())
    }

    pub(super) fn optional_text(&self, index: usize) -> Result<Option<String>, StoreError> {
        match self.cell(index)? {
            Cell::Null => Ok(None),
            Cell::Text(text) => Ok(Some(text.clone())),
            // SQLite keeps what it was given, whatever the column's type.
            Cell::Integer(number) => Ok(Some(number.to_string())),
            Cell::Real(number) => Ok(Some(number.to_string())),
        }
    }

    /// A number; NULL is 0.
    pub(super) fn integer(&self, index: usize) -> Result<i64, StoreError> {
        Ok(self.optional_integer(index)?.unwrap_or_default())
    }

    pub(super) fn optional_integer(&self, index: usize) -> Result<Option<i64>, StoreError> {
        match self.cell(index)? {
            Cell::Null => Ok(None),
            Cell::Integer(number) => Ok(Some(*number)),
            _ => Err(corrupt("number of the source")),
        }
    }

    /// A number with a fraction; NULL is `None`.
    pub(super) fn real(&self, index: usize) -> Result<Option<f64>, StoreError> {
        match self.cell(index)? {
            Cell::Null => Ok(None),
            Cell::Real(number) => Ok(Some(*number)),
            Cell::Integer(number) => Ok(Some(*number as f64)),
            Cell::Text(_) => Err(corrupt("number of the source")),
        }
    }
}

/// A database that answers statements with `?1`, `?2`, … for their parameters, all from one snapshot.
pub(super) trait Database: Send + std::fmt::Debug {
    fn rows(&mut self, sql: &str, parameters: &[Cell]) -> Result<Vec<Cells>, StoreError>;

    /// Names of a table's columns.
    fn columns(&mut self, table: &str) -> Result<Vec<String>, StoreError>;

    /// Names of the tables.
    fn tables(&mut self) -> Result<Vec<String>, StoreError>;

    /// Whether texts are in the order of their bytes, and a column may hold what its type does not say.
    fn is_loose(&self) -> bool;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_without_text_count_too() {
        let mut budget = Budget::default();
        let most = (0..).find(|_| budget.cell(0).is_err());
        assert_eq!(most, Some(MOST_BYTES / CELL));
    }
}
