//! Versions and aliases.

mod aliases;
mod create_version;
mod source;

pub use create_version::CreateVersion;
