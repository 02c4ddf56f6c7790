use crate::StoreError;
use crate::model::DatasetSummary;

type Result<T> = std::result::Result<T, StoreError>;

/// Data sets that runs used.
pub trait DatasetSummaries {
    /// Each data set that runs of these experiments used, once for each context; at most `limit`, by experiment, name,
    /// digest and context.
    ///
    /// # Errors
    /// [`StoreError::Backend`].
    fn dataset_summaries(&mut self, experiments: &[String], limit: u32) -> Result<Vec<DatasetSummary>>;
}
