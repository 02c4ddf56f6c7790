//! How the catalog's things look in answers. Absent and empty fields are left away, as protobuf's JSON leaves them.

mod assessment;
mod dataset;
mod experiment;
mod issue;
mod logged_model;
mod metric;
mod pair;
mod registry;
mod run;
mod span;
mod trace;

pub(super) use assessment::{AssessmentInput, AssessmentView};
pub(super) use dataset::{DatasetView, record as dataset_record};
pub(super) use experiment::{ExperimentView, view_type};
pub(super) use issue::IssueView;
pub(super) use logged_model::{LoggedModelView, logged_model_status};
pub(super) use metric::{MetricInput, MetricView};
pub(super) use pair::{PairInput, pairs};
pub(super) use registry::{ModelVersionView, RegisteredModelView};
pub(super) use run::{RunInfoView, RunView, run_status};
pub(super) use span::TraceView;
pub(super) use trace::{TraceInfoV2View, TraceInfoView, read_duration};
