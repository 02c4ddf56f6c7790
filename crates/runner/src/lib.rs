//! Runs an MLproject in its verified environment inside the sandbox.
//!
//! [`Runner::run`] copies and hashes the project, checks its pinned data, builds its environment from the lock, and runs the
//! entry point where it can reach nothing but the tracking server. What comes back is a [`TrainingRecord`];
//! [`TrainingRecord::provenance`] makes SLSA provenance of it.
//!
//! Data is pinned in the project's `sealyard.toml`:
//!
//! ```toml
//! [data.diabetes]
//! path = "data/diabetes.csv"
//! sha256 = "f16718c1e6602b419193b9a023dbe278ae7f85ff343158813d7040a9f7512dec"
//! ```
//!
//! The command finds it at `/data/diabetes`, as `SEALYARD_DATA_DIABETES` says.
#![forbid(unsafe_code)]

mod error;
mod files;
mod git;
mod parameters;
mod project;
mod provenance;
mod record;
mod request;
mod source;
mod staging;
mod tracking;
mod training;

pub use error::RunError;
pub use record::{BUILD_TYPE, BUILDER_ID, PinnedData, Source, TrainingRecord};
pub use request::{Experiment, RunRequest, Tracking};
pub use training::{ENVIRONMENT, Progress, Runner};
