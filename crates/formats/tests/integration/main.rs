//! Tests of the parsers through their public faces.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails may panic"
)]

mod fuzz;
mod pickle;
mod pickle_joblib;
mod zip;
