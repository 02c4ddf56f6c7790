use sealyard_core::{Digest, Timestamp};

use super::{Condition, Cursor, Metric, OrderBy, Pair};

/// How a logged model stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are MLflow's")]
pub enum LoggedModelStatus {
    Pending,
    Ready,
    UploadFailed,
}

/// A model as a run logged it. From `Ready` on its files are frozen.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs, reason = "the names are MLflow's")]
pub struct LoggedModel {
    /// `m-` and 32 lower-case hex digits.
    pub id: String,
    pub experiment_id: String,
    pub name: String,
    pub source_run_id: Option<String>,
    pub model_type: String,
    pub status: LoggedModelStatus,
    pub status_message: String,
    pub artifact_uri: String,
    pub created: Timestamp,
    pub updated: Timestamp,
    pub created_by: String,
    /// Digest of its file tree once it is frozen.
    pub tree: Option<Digest>,
    pub tags: Vec<Pair>,
    pub params: Vec<Pair>,
    pub metrics: Vec<ModelMetric>,
}

/// The last value of a metric that names a logged model, for each data set.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelMetric {
    /// The value.
    pub metric: Metric,
    /// The run it was logged to.
    pub run_id: Option<String>,
}

/// What is needed to make a logged model.
#[derive(Debug, Clone)]
#[allow(missing_docs, reason = "the names are MLflow's")]
pub struct NewLoggedModel {
    pub id: String,
    pub experiment_id: String,
    pub name: String,
    pub source_run_id: Option<String>,
    pub model_type: String,
    pub created: Timestamp,
    pub created_by: String,
    pub tags: Vec<Pair>,
    pub params: Vec<Pair>,
}

/// A search for logged models.
#[derive(Debug, Clone, Default)]
pub struct LoggedModelQuery {
    /// In these experiments only.
    pub experiments: Vec<String>,
    /// All must hold. Attributes: `name`, `model_id`, `model_type`, `status`, `source_run_id`, `creation_timestamp`,
    /// `last_updated_timestamp`.
    pub filter: Vec<Condition>,
    /// First is most significant; then creation time, newest first, then what was made last.
    pub order: Vec<OrderBy>,
    /// At most so many.
    pub limit: u32,
    /// Where to go on: what the page before gave as its `next`.
    pub after: Option<Cursor>,
}
