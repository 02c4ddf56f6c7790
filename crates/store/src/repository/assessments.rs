use crate::StoreError;
use crate::model::Assessment;

type Result<T> = std::result::Result<T, StoreError>;

/// Judgements of traces.
#[allow(
    missing_docs,
    clippy::missing_errors_doc,
    reason = "each does what its name says and fails as `StoreError` says"
)]
pub trait Assessments {
    /// Adds it; what it overrides is valid no more. A trace or an overridden assessment that is not there is `NotFound`.
    fn create_assessment(&mut self, assessment: &Assessment) -> Result<()>;
    fn assessment(&mut self, trace_id: &str, id: &str) -> Result<Option<Assessment>>;
    /// Replaces name, value, error, rationale, metadata and the time of the last change; nothing else.
    fn update_assessment(&mut self, assessment: &Assessment) -> Result<()>;
    /// How many a trace has, and about how many bytes they are together. A trace that is not there has none.
    fn size_of_assessments(&mut self, trace_id: &str) -> Result<(u64, u64)>;
    /// What it overrode is valid again. Gives whether it was there.
    fn delete_assessment(&mut self, trace_id: &str, id: &str) -> Result<bool>;
}
