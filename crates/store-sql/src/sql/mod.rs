//! What a repository says to a database, without saying to which: values, parameters, rows.

mod parameters;
mod row;
mod value;

pub(crate) use parameters::Parameters;
pub(crate) use row::Row;
pub(crate) use value::{FromValue, ToValue, Value, ValueRef};

/// Which database it is, where its SQL must differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    Sqlite,
}
