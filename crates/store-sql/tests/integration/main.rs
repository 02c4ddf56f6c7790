//! The catalog in SQLite from outside.

mod conformance;
mod kill;
mod ledger;
mod store;
