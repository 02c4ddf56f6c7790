//! The native evaluator and the scoring protocols.
