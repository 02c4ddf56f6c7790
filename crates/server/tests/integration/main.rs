//! A whole server over real sockets: its listeners, its certificate, and certificates of clients.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that can't go on ends"
)]

mod backup;
mod certificates;
mod listeners;
mod running;
