use crate::StoreError;
use crate::model::{Cursor, DatasetInput, Metric, ModelOutput, NewRun, Page, Run, RunBatch, RunQuery, RunUpdate};

type Result<T> = std::result::Result<T, StoreError>;

/// Runs and what is logged to them.
#[allow(
    missing_docs,
    clippy::missing_errors_doc,
    reason = "each does what its name says and fails as `StoreError` says"
)]
pub trait Runs {
    fn create_run(&mut self, new: &NewRun) -> Result<Run>;
    fn run(&mut self, id: &str) -> Result<Option<Run>>;
    /// Only the experiment of a run: what the authorizer needs.
    fn experiment_of_run(&mut self, id: &str) -> Result<Option<String>>;
    fn update_run(&mut self, id: &str, update: &RunUpdate) -> Result<Run>;
    /// All or nothing. A run in the bin is a `Conflict`.
    fn log_batch(&mut self, run_id: &str, batch: &RunBatch) -> Result<()>;
    fn delete_run_tag(&mut self, run_id: &str, key: &str) -> Result<()>;
    fn log_inputs(&mut self, run_id: &str, datasets: &[DatasetInput], models: &[String]) -> Result<()>;
    fn log_outputs(&mut self, run_id: &str, models: &[ModelOutput]) -> Result<()>;
    /// In the order of step, then time.
    fn metric_history(&mut self, run_id: &str, key: &str, limit: u32, after: Option<&Cursor>) -> Result<Page<Metric>>;
    fn search_runs(&mut self, query: &RunQuery) -> Result<Page<Run>>;
    /// How a search would be answered and what that costs, for an administrator to read. It runs the search.
    fn explain_runs(&mut self, query: &RunQuery) -> Result<Vec<String>>;
}
