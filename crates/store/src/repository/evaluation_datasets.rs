use crate::StoreError;
use crate::model::{DatasetRecord, EvaluationDataset, EvaluationDatasetQuery, EvaluationDatasetUpdate, Page, Pair};

type Result<T> = std::result::Result<T, StoreError>;

/// Evaluation data sets and their records.
#[allow(
    missing_docs,
    clippy::missing_errors_doc,
    reason = "each does what its name says and fails as `StoreError` says"
)]
pub trait EvaluationDatasets {
    fn create_evaluation_dataset(&mut self, dataset: &EvaluationDataset) -> Result<()>;
    fn evaluation_dataset(&mut self, id: &str) -> Result<Option<EvaluationDataset>>;
    fn update_evaluation_dataset(&mut self, id: &str, update: &EvaluationDatasetUpdate) -> Result<()>;
    fn delete_evaluation_dataset(&mut self, id: &str) -> Result<()>;
    fn search_evaluation_datasets(&mut self, query: &EvaluationDatasetQuery) -> Result<Page<EvaluationDataset>>;
    /// Replaces the values of tags that are there.
    fn set_evaluation_dataset_tags(&mut self, id: &str, tags: &[Pair]) -> Result<()>;
    /// Gives whether it was there.
    fn delete_evaluation_dataset_tag(&mut self, id: &str, key: &str) -> Result<bool>;
    /// Those that are there already stay.
    fn add_evaluation_dataset_experiments(&mut self, id: &str, experiments: &[String]) -> Result<()>;
    /// Those that are not there are passed over.
    fn remove_evaluation_dataset_experiments(&mut self, id: &str, experiments: &[String]) -> Result<()>;
    fn dataset_record_by_input(&mut self, dataset_id: &str, input_hash: &str) -> Result<Option<DatasetRecord>>;
    /// Those of the hashes that are of the inputs of a record.
    fn known_dataset_inputs(&mut self, dataset_id: &str, input_hashes: &[String]) -> Result<Vec<String>>;
    /// Adds the records, or replaces those with the same inputs. No two of them have the same.
    fn put_dataset_records(&mut self, dataset_id: &str, records: &[DatasetRecord]) -> Result<()>;
    fn count_dataset_records(&mut self, dataset_id: &str) -> Result<u64>;
    /// By creation, then id; those behind `after`.
    fn dataset_records(
        &mut self,
        dataset_id: &str,
        after: Option<&(i64, String)>,
        limit: u32,
    ) -> Result<Vec<DatasetRecord>>;
    /// Gives how many of them there were.
    fn delete_dataset_records(&mut self, dataset_id: &str, ids: &[String]) -> Result<u64>;
}
