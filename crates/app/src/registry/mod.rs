//! Versions, aliases and stages.

mod aliases;
mod create_version;
mod records;
mod source;
mod stages;

pub use create_version::CreateVersion;
