//! Locks, requirements and verified Python environments.
#![forbid(unsafe_code)]

mod error;
mod progress;
mod record;

pub use error::EnvError;
pub use progress::Progress;
pub use record::{InterpreterRecord, Wheel};
