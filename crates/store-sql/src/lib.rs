//! The catalog in SQLite or PostgreSQL: the same SQL for both, in [`repository`] and [`search`].
//!
//! One thread writes and commits in groups; a few threads read from snapshots of their own. See [`SqliteStore`] and
//! [`PostgresStore`].
#![forbid(unsafe_code)]

mod doors;
mod dump;
mod error;
mod forgotten;
mod mlflow;
mod offline;
mod people;
mod postgres;
mod queue;
mod repository;
mod seals;
mod search;
mod session;
mod sql;
mod sqlite;

pub use dump::{DumpHeader, DumpItem, DumpReader, DumpSummary, DumpTable, DumpValue, load_postgres, load_sqlite};
pub use mlflow::{MlflowSource, read_mlflow_users};
pub use offline::LedgerReader;
pub use postgres::{PostgresOptions, PostgresStore, PostgresUrl};
pub use seals::RowSeals;
pub use sqlite::{SqliteOptions, SqliteStore};
