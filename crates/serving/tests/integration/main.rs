//! Models of scikit-learn from file to answer, and everything that must keep them from being loaded.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails may panic"
)]

mod invocations;
mod predictions;
mod tampering;
mod verified;
