use sealyard_core::Digest;
use serde::{Deserialize, Serialize};

/// One wheel of an environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wheel {
    /// The project's normalised name.
    pub name: String,
    /// The version as the lock spells it.
    pub version: String,
    /// The wheel's file name.
    pub filename: String,
    /// SHA-256 of the wheel, one of those in the lock.
    pub digest: Digest,
}

/// The interpreter of an environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InterpreterRecord {
    /// `cpython`, `pypy`, …
    pub implementation: String,
    /// The full version, such as `3.11.7`.
    pub version: String,
    /// Where it lies.
    pub path: String,
    /// SHA-256 of the executable.
    pub digest: Digest,
    /// The platform, such as `linux-x86_64`.
    pub platform: String,
}
