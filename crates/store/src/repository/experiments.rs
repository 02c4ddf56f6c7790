use sealyard_core::Timestamp;

use crate::StoreError;
use crate::model::{Experiment, ExperimentQuery, Lifecycle, NewExperiment, Page};

type Result<T> = std::result::Result<T, StoreError>;

/// Experiments.
#[allow(
    missing_docs,
    clippy::missing_errors_doc,
    reason = "each does what its name says and fails as `StoreError` says"
)]
pub trait Experiments {
    /// `AlreadyExists` when an experiment of that name is there, in the bin or not.
    fn create_experiment(&mut self, new: &NewExperiment) -> Result<Experiment>;
    fn experiment(&mut self, id: &str) -> Result<Option<Experiment>>;
    fn experiment_by_name(&mut self, name: &str) -> Result<Option<Experiment>>;
    fn rename_experiment(&mut self, id: &str, name: &str, now: Timestamp) -> Result<()>;
    fn set_experiment_lifecycle(&mut self, id: &str, lifecycle: Lifecycle, now: Timestamp) -> Result<()>;
    /// Replaces the value of a tag that is there.
    fn set_experiment_tag(&mut self, id: &str, key: &str, value: &str) -> Result<()>;
    fn delete_experiment_tag(&mut self, id: &str, key: &str) -> Result<()>;
    fn search_experiments(&mut self, query: &ExperimentQuery) -> Result<Page<Experiment>>;
}
