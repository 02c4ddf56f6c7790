//! PostgreSQL: one writer at a time among all servers, many readers.

mod batch;
mod connection;
mod error;
mod link;
mod migrate;
mod options;
mod reader;
pub(crate) mod rlike;
mod schema;
mod statement;
mod store;
mod tls;
mod url;
mod value;
mod writer;

pub(crate) use connection::{Connection, connect_to_load, connect_to_read};
pub(crate) use migrate::check as schema_version;
pub use options::PostgresOptions;
pub(crate) use schema::check_now as check_schema;
pub use store::PostgresStore;
pub use url::PostgresUrl;
pub(crate) use value::Column;
