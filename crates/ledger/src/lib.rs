//! Typed events, the Merkle log over them, signed checkpoints and proofs.
//!
//! An act and its [`Event`] are written in one transaction of the catalog (an outbox row). One sequencer turns the
//! outbox into the log: it gives each event its index, extends the Merkle tree of RFC 6962 and signs a checkpoint
//! (C2SP tlog-checkpoint) in the same transaction, so that no entry is ever outside of what is signed.
#![forbid(unsafe_code)]

mod entry;
mod event;

pub use entry::Entry;
pub use event::{Act, Event, Outcome};
