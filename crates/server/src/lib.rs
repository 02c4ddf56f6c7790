//! Composition: wiring, TLS and listeners.
