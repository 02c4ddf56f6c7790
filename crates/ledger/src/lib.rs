//! Typed events, the Merkle log, signed checkpoints and proofs.
