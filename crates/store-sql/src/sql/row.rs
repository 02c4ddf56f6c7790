use sealyard_store::StoreError;

use super::{FromValue, ValueRef};
use crate::error::{backend, corrupt};
use crate::postgres::Column;

/// One row of a query's answer.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Row<'r> {
    Sqlite(&'r rusqlite::Row<'r>),
    Postgres(&'r tokio_postgres::Row),
}

impl Row<'_> {
    /// The column at `index`, counted from 0.
    pub(crate) fn get<T: FromValue>(&self, index: usize) -> Result<T, StoreError> {
        T::from_value(self.value(index)?).ok_or_else(|| corrupt("column"))
    }

    /// The text at `index`, without a copy.
    pub(crate) fn text(&self, index: usize) -> Result<&str, StoreError> {
        match self.value(index)? {
            ValueRef::Text(text) => Ok(text),
            _ => Err(corrupt("text column")),
        }
    }

    /// How many columns it has.
    pub(crate) fn columns(&self) -> usize {
        match self {
            Self::Sqlite(row) => row.as_ref().column_count(),
            Self::Postgres(row) => row.len(),
        }
    }

    /// The column at `index`, of whatever type it is.
    pub(crate) fn value(&self, index: usize) -> Result<ValueRef<'_>, StoreError> {
        match self {
            Self::Sqlite(row) => Ok(match row.get_ref(index).map_err(backend)? {
                rusqlite::types::ValueRef::Null => ValueRef::Null,
                rusqlite::types::ValueRef::Integer(number) => ValueRef::Integer(number),
                rusqlite::types::ValueRef::Real(number) => ValueRef::Real(number),
                rusqlite::types::ValueRef::Text(text) => {
                    ValueRef::Text(std::str::from_utf8(text).map_err(|_| corrupt("text column"))?)
                }
                rusqlite::types::ValueRef::Blob(bytes) => ValueRef::Blob(bytes),
            }),
            Self::Postgres(row) => Ok(row.try_get::<_, Column<'_>>(index).map_err(backend)?.0),
        }
    }
}
