//! Handshakes with certificates of an authority of our own.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that can't go on ends"
)]

mod authority;
mod client_certificates;
mod protocols;
mod reload;
