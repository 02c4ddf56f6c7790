//! What the catalog holds.

mod account_security;
mod artifact;
mod assessment;
mod evaluation_dataset;
mod evidence;
mod experiment;
mod gateway;
mod group;
mod identity;
mod import;
mod issue;
mod ledger;
mod logged_model;
mod registry;
mod role;
mod run;
mod scorer;
mod search;
mod session;
mod stored_object;
mod trace;
mod trace_metrics;
mod webhook;
mod workspace;

pub use account_security::{LoginFailures, SecondFactorRecord};
pub use artifact::{Artifact, ArtifactOwner};
pub use assessment::{Assessment, AssessmentKind};
pub use evaluation_dataset::{DatasetRecord, EvaluationDataset, EvaluationDatasetQuery, EvaluationDatasetUpdate};
pub use evidence::EvidenceRecord;
pub use experiment::{Experiment, ExperimentQuery, Lifecycle, NewExperiment, ViewType};
pub use gateway::{
    GatewayBinding, GatewayBindingQuery, GatewayEndpoint, GatewayFallback, GatewayLinkage, GatewayMapping,
    GatewayModelDefinition, GatewaySecret, NewGatewayMapping, OnlineScoring,
};
pub use group::{ExternalIdentityRecord, GroupRecord, GroupRole};
pub use identity::{TokenRecord, UserKind, UserRecord};
pub use import::ImportRefusal;
pub use issue::{FoundIssue, Issue, IssuePlace, IssueQuery, IssueUpdate};
pub use ledger::{CheckpointRecord, LedgerEntry, LedgerPlace, LedgerQuery};
pub use logged_model::{LoggedModel, LoggedModelQuery, LoggedModelStatus, ModelMetric, NewLoggedModel};
pub use registry::{ModelVersion, NewModelVersion, NewVersionRecord, RegisteredModel, VersionFile, VersionStatus};
pub use role::{AccessRules, RoleMember, RolePermissionRecord, RoleRecord};
pub use run::{
    DatasetInput, DatasetSummary, LatestMetric, Metric, ModelOutput, NewRun, Run, RunBatch, RunData, RunQuery,
    RunStatus, RunUpdate,
};
pub use scorer::ScorerVersion;
pub use search::{Comparison, Condition, Cursor, CursorValue, DatasetRef, Field, Operand, OrderBy, Page};
pub use session::SessionRecord;
pub use stored_object::{NewObject, ObjectUse, PartedUpload, UploadPart, UploadState};
pub use trace::{
    Measure, NewTrace, SortValue, Span, SpanAttribute, SpanBatch, Trace, TraceCondition, TraceDeletion, TraceField,
    TraceOrder, TracePage, TraceQuery, TraceState,
};
pub use trace_metrics::{Aggregation, MetricFilter, MetricView, TraceMetricPoint, TraceMetricQuery};
pub use webhook::{AttemptOutcome, Delivery, DeliveryBounds, Webhook};
pub use workspace::{DEFAULT_WORKSPACE, Workspace, WorkspaceDeletion};

/// A tag or parameter.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub struct Pair {
    /// Its name.
    pub key: String,
    /// Its text.
    pub value: String,
}

impl Pair {
    /// A pair of `key` and `value`.
    pub fn new(key: impl Into<String>, value: impl Into<String>) -> Self {
        Self { key: key.into(), value: value.into() }
    }
}
