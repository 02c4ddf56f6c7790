//! Versions, aliases and stages.

mod aliases;
mod create_version;
mod records;
mod source;
mod stages;

pub use create_version::CreateVersion;
pub(crate) use records::{check_prompt_source, is_prompt, no_files};
