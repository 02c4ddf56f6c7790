//! The catalog in SQLite from outside.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a helper of a test fails by panicking, as the test does"
)]

mod conformance;
mod dump;
mod kill;
mod ledger;
#[cfg(feature = "postgres-server")]
mod postgres;
mod seals;
mod search;
mod store;
mod upgrade;
