//! Another tracking store as something to import from.
//!
//! What is here is what was there: nothing of it was checked, and an importer treats all of it as hostile.

use sealyard_core::Timestamp;

use crate::StoreError;
use crate::model::{
    Assessment, DatasetInput, DatasetRecord, EvaluationDataset, Lifecycle, LoggedModelStatus, Measure, Metric,
    ModelOutput, Pair, RunStatus, TraceState,
};

/// The stage of a version that is gone.
pub const DELETED_STAGE: &str = "Deleted_Internal";

type Result<T> = std::result::Result<T, StoreError>;

/// Where a page of metrics of one key ended: the last metric of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MetricPlace {
    /// Its step.
    pub step: i64,
    /// Its time.
    pub timestamp: i64,
    /// Its value as it is kept.
    pub value: f64,
    /// Whether it is not a number.
    pub nan: bool,
}

/// A tracking store and registry to read from. All reading is from one snapshot.
pub trait ImportSource: Send + std::fmt::Debug {
    /// What the source is: the same for the same store whenever it is asked, and for no other.
    ///
    /// # Errors
    /// [`StoreError::Invalid`] for something that is no store of a kind that is known.
    fn identity(&mut self) -> Result<SourceIdentity>;

    /// Rows of each table, by its name.
    ///
    /// # Errors
    /// [`StoreError::Backend`].
    fn tables(&mut self) -> Result<Vec<(String, u64)>>;

    /// All experiments, in the bin or not, by id.
    ///
    /// # Errors
    /// [`StoreError::Backend`].
    fn experiments(&mut self) -> Result<Vec<SourceExperiment>>;

    /// Runs by id, from behind `after` on, with all but their metrics.
    ///
    /// # Errors
    /// [`StoreError::Backend`].
    fn runs(&mut self, after: &str, limit: u32) -> Result<Vec<SourceRun>>;

    /// Keys of a run's metrics.
    ///
    /// # Errors
    /// [`StoreError::Backend`].
    fn metric_keys(&mut self, run: &str) -> Result<Vec<String>>;

    /// A run's metrics of one key, in the order of step, time, value, from behind `after` on; with where the page ended.
    ///
    /// # Errors
    /// [`StoreError::Backend`].
    fn metrics(
        &mut self,
        run: &str,
        key: &str,
        after: Option<MetricPlace>,
        limit: u32,
    ) -> Result<(Vec<Metric>, Option<MetricPlace>)>;

    /// Metrics of a run that belong to logged models.
    ///
    /// # Errors
    /// [`StoreError::Backend`].
    fn model_metrics(&mut self, run: &str) -> Result<Vec<Metric>>;

    /// Logged models by id, from behind `after` on.
    ///
    /// # Errors
    /// [`StoreError::Backend`].
    fn logged_models(&mut self, after: &str, limit: u32) -> Result<Vec<SourceLoggedModel>>;

    /// Registered models by name, from behind `after` on.
    ///
    /// # Errors
    /// [`StoreError::Backend`].
    fn registered_models(&mut self, after: &str, limit: u32) -> Result<Vec<SourceRegisteredModel>>;

    /// Versions of a model, by number; those that are gone too, in the stage [`DELETED_STAGE`], of which only the number counts.
    ///
    /// # Errors
    /// [`StoreError::Backend`].
    fn versions(&mut self, name: &str) -> Result<Vec<SourceVersion>>;

    /// Traces by id, from behind `after` on, with all but their spans.
    ///
    /// # Errors
    /// [`StoreError::Backend`].
    fn traces(&mut self, after: &str, limit: u32) -> Result<Vec<SourceTrace>>;

    /// Ids of a trace's spans from behind `after` on, with the bytes of their contents.
    ///
    /// # Errors
    /// [`StoreError::Backend`].
    fn span_sizes(&mut self, trace: &str, after: &str, limit: u32) -> Result<Vec<(String, u64)>>;

    /// Those of a trace's spans, by id.
    ///
    /// # Errors
    /// [`StoreError::Backend`].
    fn spans(&mut self, trace: &str, ids: &[String]) -> Result<Vec<SourceSpan>>;

    /// Evaluation data sets by id, from behind `after` on, without their records; nobody owns them.
    ///
    /// # Errors
    /// [`StoreError::Backend`].
    fn evaluation_datasets(&mut self, after: &str, limit: u32) -> Result<Vec<SourceDataset>>;

    /// Ids of a data set's records from behind `after` on, with the bytes of what they hold.
    ///
    /// # Errors
    /// [`StoreError::Backend`].
    fn record_sizes(&mut self, dataset: &str, after: &str, limit: u32) -> Result<Vec<(String, u64)>>;

    /// Those records of a data set, by id. Their hash is empty.
    ///
    /// # Errors
    /// [`StoreError::Backend`].
    fn records(&mut self, dataset: &str, ids: &[String]) -> Result<Vec<DatasetRecord>>;

    /// Versions of scorers by the scorer's id and their number, from behind that place on.
    ///
    /// # Errors
    /// [`StoreError::Backend`].
    fn scorers(&mut self, after: &(String, u32), limit: u32) -> Result<Vec<SourceScorer>>;

    /// Issues by id, from behind `after` on.
    ///
    /// # Errors
    /// [`StoreError::Backend`].
    fn issues(&mut self, after: &str, limit: u32) -> Result<Vec<SourceIssue>>;

    /// Webhooks by id, from behind `after` on, without their secrets.
    ///
    /// # Errors
    /// [`StoreError::Backend`].
    fn webhooks(&mut self, after: &str, limit: u32) -> Result<Vec<SourceWebhook>>;
}

/// What a source is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceIdentity {
    /// Differs from that of every other store.
    pub fingerprint: String,
    /// The revision of its schema.
    pub schema: String,
}

/// An experiment as it was.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are MLflow's")]
pub struct SourceExperiment {
    pub id: i64,
    pub name: String,
    pub artifact_location: String,
    pub lifecycle: Lifecycle,
    pub created: Timestamp,
    pub updated: Timestamp,
    pub tags: Vec<Pair>,
}

/// A run as it was.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs, reason = "the names are MLflow's")]
pub struct SourceRun {
    pub id: String,
    pub experiment: i64,
    pub name: String,
    pub user: String,
    pub status: RunStatus,
    pub start: Timestamp,
    pub end: Option<Timestamp>,
    pub lifecycle: Lifecycle,
    pub artifact_uri: String,
    pub params: Vec<Pair>,
    pub tags: Vec<Pair>,
    /// The last value of each metric.
    pub latest: Vec<Metric>,
    pub inputs: Vec<DatasetInput>,
    pub model_inputs: Vec<String>,
    pub outputs: Vec<ModelOutput>,
}

/// A logged model as it was.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are MLflow's")]
pub struct SourceLoggedModel {
    pub id: String,
    pub experiment: i64,
    pub name: String,
    pub artifact_location: String,
    pub created: Timestamp,
    pub updated: Timestamp,
    pub status: LoggedModelStatus,
    pub message: String,
    pub model_type: String,
    pub source_run: Option<String>,
    pub lifecycle: Lifecycle,
    pub tags: Vec<Pair>,
    pub params: Vec<Pair>,
}

/// A registered model as it was.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are MLflow's")]
pub struct SourceRegisteredModel {
    pub name: String,
    pub description: String,
    pub created: Timestamp,
    pub updated: Timestamp,
    pub tags: Vec<Pair>,
    pub aliases: Vec<(String, u32)>,
}

/// A version as it was.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are MLflow's")]
pub struct SourceVersion {
    pub version: u32,
    pub description: String,
    pub user: String,
    pub source: String,
    /// Where its files are, if the registry knew better than `source`.
    pub storage: Option<String>,
    pub run_id: Option<String>,
    pub status: String,
    pub stage: String,
    pub created: Timestamp,
    pub updated: Timestamp,
    pub tags: Vec<Pair>,
}

/// A trace as it was, without its spans.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs, reason = "the names are MLflow's")]
pub struct SourceTrace {
    pub id: String,
    pub experiment: i64,
    pub started: i64,
    pub duration: Option<i64>,
    pub state: TraceState,
    pub client_request_id: Option<String>,
    pub request_preview: Option<String>,
    pub response_preview: Option<String>,
    pub tags: Vec<Pair>,
    pub metadata: Vec<Pair>,
    pub metrics: Vec<Measure>,
    /// Value, error and metadata as the source has them; see [`SourceAssessment`].
    pub assessments: Vec<SourceAssessment>,
    /// Runs that it is linked to.
    pub runs: Vec<String>,
    /// Prompt versions that it is linked to, as `name/version`.
    pub prompts: Vec<String>,
}

/// A judgement as it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceAssessment {
    /// What is plain; its metadata are empty, and its value and error were not looked at. `None` for a kind that is not known.
    pub assessment: Option<Assessment>,
    /// Its id, whatever it is.
    pub id: String,
    /// JSON.
    pub metadata: Option<String>,
    /// Some text of it is larger than an assessment's may be, and was not read.
    pub too_large: bool,
}

/// A span as it was.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are MLflow's")]
pub struct SourceSpan {
    pub id: String,
    pub parent: Option<String>,
    pub name: String,
    pub kind: Option<String>,
    pub status: String,
    pub started: i64,
    pub ended: Option<i64>,
    /// JSON.
    pub content: String,
}

/// A version of a scorer as it was.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are MLflow's")]
pub struct SourceScorer {
    pub id: String,
    pub experiment: i64,
    pub name: String,
    pub version: u32,
    /// JSON; nothing if there is more of it than the source gives at once.
    pub serialized: Option<String>,
    pub created: i64,
}

/// An issue as it was.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are MLflow's")]
pub struct SourceIssue {
    pub id: String,
    pub experiment: i64,
    pub name: String,
    pub description: String,
    pub status: String,
    pub severity: Option<String>,
    /// JSON lists.
    pub root_causes: Option<String>,
    pub categories: Option<String>,
    pub source_run: Option<String>,
    pub said_by: Option<String>,
    pub created: Timestamp,
    pub updated: Timestamp,
    /// Some text of it is larger than an issue's may be, and was not read.
    pub too_large: bool,
}

/// An evaluation data set as it was, without its records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceDataset {
    /// Itself; nobody owns it.
    pub dataset: EvaluationDataset,
    /// Its schema or profile is larger than one may be, and was not read.
    pub too_large: bool,
}

/// A webhook as it was, without its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are MLflow's")]
pub struct SourceWebhook {
    pub id: String,
    pub name: String,
    pub description: String,
    pub url: String,
    /// Such as `registered_model.created`.
    pub events: Vec<String>,
    pub created: Timestamp,
    pub updated: Timestamp,
}

/// A user as it was, without its password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceUser {
    /// What it logged in as.
    pub name: String,
    /// Whether it might do everything.
    pub admin: bool,
    /// Ids of experiments, and what it had on each in MLflow's words.
    pub experiments: Vec<(String, String)>,
    /// Names of registered models, likewise.
    pub models: Vec<(String, String)>,
    /// What it had something on in another workspace than the default one: the workspace, and `models/NAME`. The same name
    /// is another model here.
    pub elsewhere: Vec<(String, String)>,
}
