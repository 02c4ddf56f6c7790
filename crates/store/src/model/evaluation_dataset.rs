use super::{Condition, Cursor, OrderBy, Pair};

/// A set of records that applications are evaluated with.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are MLflow's")]
pub struct EvaluationDataset {
    /// `d-` and 32 hex digits.
    pub id: String,
    pub name: String,
    /// JSON.
    pub schema: Option<String>,
    /// JSON.
    pub profile: Option<String>,
    pub digest: String,
    /// Milliseconds since the epoch.
    pub created: i64,
    /// Milliseconds since the epoch.
    pub updated: i64,
    /// What the client said of itself.
    pub created_by: Option<String>,
    pub updated_by: Option<String>,
    /// The authenticated principal that made it: who has it while it belongs to no experiment.
    pub owner: String,
    pub tags: Vec<Pair>,
    pub experiment_ids: Vec<String>,
}

/// Changes to a data set; `None` leaves a field as it is.
#[derive(Debug, Clone, Default)]
#[allow(missing_docs, reason = "the names are MLflow's")]
pub struct EvaluationDatasetUpdate {
    pub updated: i64,
    pub digest: Option<String>,
    pub schema: Option<String>,
    pub profile: Option<String>,
    pub updated_by: Option<String>,
}

/// One case of a data set. What is JSON is kept as its text.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are MLflow's")]
pub struct DatasetRecord {
    /// `dr-` and 32 hex digits.
    pub id: String,
    pub inputs: String,
    /// Names the inputs: two records of a data set never have the same.
    pub input_hash: String,
    pub outputs: Option<String>,
    pub expectations: Option<String>,
    pub tags: Option<String>,
    pub source: Option<String>,
    pub source_id: Option<String>,
    pub source_type: Option<String>,
    /// Milliseconds since the epoch.
    pub created: i64,
    /// Milliseconds since the epoch.
    pub updated: i64,
    pub created_by: Option<String>,
    pub updated_by: Option<String>,
}

/// A search for data sets.
#[derive(Debug, Clone, Default)]
pub struct EvaluationDatasetQuery {
    /// In any of these experiments; all data sets when there is none.
    pub experiments: Vec<String>,
    /// All must hold.
    pub filter: Vec<Condition>,
    /// First is most significant.
    pub order: Vec<OrderBy>,
    /// At most so many.
    pub limit: u32,
    /// After the last one of the page before.
    pub after: Option<Cursor>,
}
