//! The native evaluator and the scoring protocols.
//!
//! [`Model::load`] takes only what the load gate let through, hashes each file again while it reads it, and builds a
//! small [`ir::Estimator`] from the data in it; no code of the model ever runs. [`protocol`] turns request bodies into
//! answers as pure functions: bytes in, status and bytes out.
#![forbid(unsafe_code)]

pub mod files;
pub mod ir;
pub mod load;
pub mod mlflow_model;
mod model;
pub mod protocol;

pub use files::{FileSource, Folder};
pub use load::LoadError;
pub use model::{Model, Runtime};
