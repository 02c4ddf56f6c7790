//! What a repository says to a database, without saying to which: values, parameters, rows.

mod dialect;
mod parameters;
mod row;
mod value;

pub(crate) use dialect::Dialect;
pub(crate) use parameters::Parameters;
pub(crate) use row::Row;
pub(crate) use value::{FromValue, ToValue, Value, ValueRef};
