//! The catalog in SQLite.
//!
//! One thread writes and commits in groups; a few threads read from snapshots of their own. See [`SqliteStore`].
#![forbid(unsafe_code)]

mod error;
mod repository;
mod search;
mod session;
mod sql;
mod sqlite;

pub use sqlite::{LedgerReader, SqliteOptions, SqliteStore};
