//! Typed events, the Merkle log over them, signed checkpoints and proofs.
//!
//! An act and its [`Event`] are written in one transaction of the catalog (an outbox row). One sequencer turns the
//! outbox into the log: it gives each event its index, extends the Merkle tree of RFC 6962 and signs a checkpoint
//! (C2SP tlog-checkpoint) in the same transaction, so that no entry is ever outside of what is signed.
//!
//! Whoever has a catalog, the verifier key and, to see a rollback, a checkpoint kept elsewhere can [`verify`] the log
//! without trusting the server.
#![forbid(unsafe_code)]

mod checkpoint;
mod cosignature;
mod cosigners;
mod entry;
mod event;
mod facets;
mod key;
mod line;
pub mod merkle;
mod note;
pub mod personal;
mod proof;
pub mod tile;
mod verify;
pub mod witness;

pub use checkpoint::{Checkpoint, CheckpointError};
pub use cosignature::{WitnessKey, WitnessVerifier};
pub use cosigners::{Cosigners, CosignersError, Witnessed};
pub use entry::Entry;
pub use event::{Act, Event, Outcome};
pub use facets::Facets;
pub use key::{KeyError, LedgerKey, VerifierKey};
pub use line::{LINE_BEGINS, line, plain_json};
pub use merkle::Frontier;
pub use note::{Note, NoteError};
pub use proof::{ConsistencyProof, InclusionProof, PROOF_SCHEMA, UnprovenError};
pub use verify::{Problem, SCHEMA, VerifyReport, verify};
