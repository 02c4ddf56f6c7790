//! The catalog in SQLite from outside.

mod conformance;
