//! Log-ins, tokens of machines and log-outs, against a provider on loopback that makes its own keys; and every attack on
//! them that we know of, by the rule that must refuse it.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that can't go on ends"
)]

mod discovery;
mod fake;
mod login;
mod logout;
mod machines;
mod rotation;
mod tokens;
