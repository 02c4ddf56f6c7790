//! The gate from outside: what each rule refuses, what no combination of evidence may bring about, policies, and what
//! comes out of a decision.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that panics has failed, as it should"
)]

mod decisions;
mod policies;
mod rules;
mod scenario;
mod tricks;
