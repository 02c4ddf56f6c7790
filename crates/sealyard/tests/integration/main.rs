//! Tests of the workspace and of the command as a whole.
#![allow(
    missing_docs,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test says so by failing"
)]

mod commands;
mod layering;
