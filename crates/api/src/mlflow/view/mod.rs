//! How the catalog's things look in answers. Absent and empty fields are left away, as protobuf's JSON leaves them.

mod experiment;
mod issue;
mod logged_model;
mod metric;
mod pair;
mod registry;
mod run;

pub(super) use experiment::{ExperimentView, view_type};
pub(super) use issue::IssueView;
pub(super) use logged_model::{LoggedModelView, logged_model_status};
pub(super) use metric::{MetricInput, MetricView};
pub(super) use pair::{PairInput, pairs};
pub(super) use registry::{ModelVersionView, RegisteredModelView};
pub(super) use run::{RunInfoView, RunView, run_status};
