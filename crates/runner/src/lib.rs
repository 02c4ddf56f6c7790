//! Runs an MLproject in its verified environment inside the sandbox.
#![forbid(unsafe_code)]

mod error;
mod record;
mod request;

pub use error::RunError;
pub use record::{BUILD_TYPE, BUILDER_ID, PinnedData, Source, TrainingRecord};
pub use request::{Experiment, RunRequest, Tracking};
