//! Experiments, runs, logged and registered models: what MLflow clients track.
//!
//! Each function takes the proof that its caller may do what it does, and checks in its own transaction that what it
//! touches belongs to the resource of that proof: a run that moved or never was in the experiment is denied, not edited.

mod datasets;
mod experiments;
mod histories;
mod issues;
mod limits;
mod logged_models;
mod model_versions;
mod paging;
mod refusals;
mod registered_models;
mod run_data;
mod run_names;
mod run_places;
mod runs;
pub mod search;

pub(crate) use experiments::experiment_id;
pub(crate) use run_places::RunPlaces;
pub(crate) use runs::{active_experiment, of_experiment as run_of_experiment};

pub use experiments::{MayCreateExperiment, SearchExperiments};
pub use histories::{RUNS_PER_HISTORY, ReadableRun, SAMPLED_STEPS, USUAL_SAMPLED_STEPS};
#[cfg(feature = "fuzzing")]
pub(crate) use issues::fuzz_filter as fuzz_issue_filter;
pub use issues::{ChangeIssue, NewIssue, SEVERITIES, SearchIssues};
pub(crate) use issues::{check_bounds as check_issue, severity as severity_of_issue};
pub use limits::{
    LOGGED_MODELS_PER_PAGE, MAX_BATCH_BYTES, MODEL_VERSIONS_PER_PAGE, REGISTERED_MODELS_PER_PAGE, RUNS_PER_PAGE,
};
pub(crate) use logged_models::is_model_id;
pub use logged_models::{CreateLoggedModel, SearchLoggedModels};
pub use model_versions::VersionReference;
pub use paging::{Listing, PageToken};
pub(crate) use paging::{PageTokens, Query};
pub use refusals::ARTIFACT_PATH_RULE;
pub use registered_models::is_prompt;
pub use registered_models::{MayCreateRegisteredModel, RegisteredModelWithLatest, SearchRegistry};
pub(crate) use registered_models::{PROMPT_TAG, entry_of};
pub use runs::{CreateRun, SearchRuns, UpdateRun};

/// One tag, by MLflow's rule for its name.
pub(crate) fn check_tag(tag: &sealyard_store::model::Pair) -> Result<(), crate::AppError> {
    limits::tags(std::slice::from_ref(tag))
}

/// `bytes` as the tokens of searches and of issues.
#[cfg(feature = "fuzzing")]
pub(crate) fn fuzz_token(bytes: &[u8]) {
    paging::fuzz_token(bytes);
    issues::fuzz_token(bytes);
}
