//! The same facts for people and for programs.

mod cyclonedx;
mod explained;
mod json;
mod junit;
mod sarif;
mod text;

pub use cyclonedx::cyclonedx;
pub use explained::explained;
pub use json::json;
pub use junit::junit;
pub use sarif::sarif;
pub use text::text;
