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
//!
//! What a record does not say: the interpreter's digest is that of its program, not of the standard library and the system's
//! libraries below it; a remote's URL is what the work tree's settings claim; SHA-1 names of git commits are as strong as SHA-1.
//! Data above 256 MiB is shown where it lies (`copied` is false), so the project's folder must be one that only its user writes.
//! A refused connection is in the log when it was made with `connect` or `sendto`. The run's token lives as long as its server
//! lets it: the training code may keep it until then.
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
