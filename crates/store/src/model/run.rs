use sealyard_core::Timestamp;

use super::{Condition, Cursor, Lifecycle, OrderBy, Pair, ViewType};

/// How a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are MLflow's")]
pub enum RunStatus {
    Running,
    Scheduled,
    Finished,
    Failed,
    Killed,
}

/// One execution of training code.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs, reason = "the names are MLflow's")]
pub struct Run {
    /// 32 lower-case hex digits.
    pub id: String,
    pub experiment_id: String,
    pub name: String,
    /// What the client said of itself (`user_id`); never used to decide anything.
    pub user: String,
    /// The authenticated principal that created it.
    pub created_by: String,
    pub status: RunStatus,
    pub start: Timestamp,
    pub end: Option<Timestamp>,
    pub artifact_uri: String,
    pub lifecycle: Lifecycle,
    pub data: RunData,
}

/// What was logged to a run.
#[derive(Debug, Clone, PartialEq, Default)]
#[allow(missing_docs, reason = "the names are MLflow's")]
pub struct RunData {
    pub metrics: Vec<LatestMetric>,
    pub params: Vec<Pair>,
    pub tags: Vec<Pair>,
    pub inputs: Vec<DatasetInput>,
    pub model_inputs: Vec<String>,
    pub outputs: Vec<ModelOutput>,
}

/// The last value of a metric: the one with the highest step, then time, then value.
pub type LatestMetric = Metric;

/// One measured value.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs, reason = "the names are MLflow's")]
pub struct Metric {
    pub key: String,
    /// NaN and infinities are kept.
    pub value: f64,
    /// Milliseconds since the epoch, as the client gave it.
    pub timestamp: i64,
    pub step: i64,
    pub model_id: Option<String>,
    pub dataset_name: Option<String>,
    pub dataset_digest: Option<String>,
}

/// A data set that a run used.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are MLflow's")]
pub struct DatasetInput {
    pub name: String,
    pub digest: String,
    pub source_type: String,
    pub source: String,
    pub schema: Option<String>,
    pub profile: Option<String>,
    pub tags: Vec<Pair>,
}

/// A data set that runs of an experiment used, and what for.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are MLflow's")]
pub struct DatasetSummary {
    pub experiment_id: String,
    pub name: String,
    pub digest: String,
    pub context: Option<String>,
}

/// A logged model that a run made.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are MLflow's")]
pub struct ModelOutput {
    pub model_id: String,
    pub step: i64,
}

/// What is needed to make a run.
#[derive(Debug, Clone)]
#[allow(missing_docs, reason = "the names are MLflow's")]
pub struct NewRun {
    pub id: String,
    pub experiment_id: String,
    pub name: String,
    pub user: String,
    pub created_by: String,
    pub start: Timestamp,
    pub tags: Vec<Pair>,
}

/// Changes to a run; `None` leaves a field as it is.
#[derive(Debug, Clone, Default)]
#[allow(missing_docs, reason = "the names are MLflow's")]
pub struct RunUpdate {
    pub name: Option<String>,
    pub status: Option<RunStatus>,
    pub end: Option<Timestamp>,
    pub lifecycle: Option<Lifecycle>,
}

/// Metrics, parameters and tags written together.
#[derive(Debug, Clone, Default)]
#[allow(missing_docs, reason = "the names are MLflow's")]
pub struct RunBatch {
    pub metrics: Vec<Metric>,
    /// A parameter that is there with another value is a [`StoreError::Conflict`](crate::StoreError::Conflict).
    pub params: Vec<Pair>,
    pub tags: Vec<Pair>,
}

/// A search for runs.
#[derive(Debug, Clone, Default)]
pub struct RunQuery {
    /// In these experiments only.
    pub experiments: Vec<String>,
    /// All must hold.
    pub filter: Vec<Condition>,
    /// First is most significant; then start time, newest first, then what was made last.
    pub order: Vec<OrderBy>,
    /// Which lifecycle.
    pub view: ViewType,
    /// At most so many.
    pub limit: u32,
    /// Where to go on: what the page before gave as its `next`.
    pub after: Option<Cursor>,
}
