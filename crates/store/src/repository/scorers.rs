use crate::StoreError;
use crate::model::ScorerVersion;

type Result<T> = std::result::Result<T, StoreError>;

/// Scorers of experiments.
#[allow(
    missing_docs,
    clippy::missing_errors_doc,
    reason = "each does what its name says and fails as `StoreError` says"
)]
pub trait Scorers {
    /// Adds the next version of the scorer called `name`; `scorer_id` is taken when it is the first one.
    fn register_scorer(
        &mut self,
        experiment_id: &str,
        name: &str,
        scorer_id: &str,
        serialized: &str,
        now: i64,
    ) -> Result<ScorerVersion>;
    /// Bytes of all versions of all scorers of the experiment.
    fn size_of_scorers(&mut self, experiment_id: &str) -> Result<u64>;
    /// The newest version of each, by name. Ends early at 48 MiB.
    fn scorers(&mut self, experiment_id: &str, limit: u32) -> Result<Vec<ScorerVersion>>;
    /// Every version, oldest first. Ends early at 48 MiB.
    fn scorer_versions(&mut self, experiment_id: &str, name: &str, limit: u32) -> Result<Vec<ScorerVersion>>;
    /// The version, or the newest one.
    fn scorer(&mut self, experiment_id: &str, name: &str, version: Option<u32>) -> Result<Option<ScorerVersion>>;
    /// Removes the version, or the scorer with all versions; gives how many versions.
    fn delete_scorer(&mut self, experiment_id: &str, name: &str, version: Option<u32>) -> Result<u64>;
}
