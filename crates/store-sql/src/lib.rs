//! The catalog in SQLite.
//!
//! One thread writes and commits in groups; a few threads read from snapshots of their own. See [`SqliteStore`].
#![forbid(unsafe_code)]

mod connection;
mod error;
mod like;
mod migrate;
mod offline;
mod options;
mod reader;
mod repository;
mod search;
mod session;
mod store;
mod writer;

pub use offline::LedgerReader;
pub use options::SqliteOptions;
pub use store::SqliteStore;
