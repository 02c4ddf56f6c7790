//! SQLite: one file, one writer, many readers.

pub(crate) mod connection;
mod deadline;
pub(crate) mod like;
pub(crate) mod migrate;
mod options;
mod reader;
pub(crate) mod rlike;
mod schema;
mod statement;
mod store;
mod writer;

pub(crate) use connection::{connect_to_load, connect_to_read, finish_load};
pub use options::SqliteOptions;
pub(crate) use schema::check_now as check_schema;
pub(crate) use statement::{all, execute, execute_many, optional};
pub use store::SqliteStore;
