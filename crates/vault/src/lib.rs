//! Envelope encryption of artifacts: authenticated, chunked, crash-safe.
