use sealyard_core::Timestamp;

use super::{Condition, Cursor, OrderBy, Pair};

/// Whether something is in use or in the bin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are MLflow's")]
pub enum Lifecycle {
    Active,
    Deleted,
}

/// Which of them a search looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[allow(missing_docs, reason = "the names are MLflow's")]
pub enum ViewType {
    #[default]
    ActiveOnly,
    DeletedOnly,
    All,
}

/// A group of runs.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are MLflow's")]
pub struct Experiment {
    /// A decimal number without leading zeros; `0` is MLflow's default experiment.
    pub id: String,
    pub name: String,
    pub artifact_location: String,
    pub lifecycle: Lifecycle,
    pub created: Timestamp,
    pub updated: Timestamp,
    pub tags: Vec<Pair>,
}

/// What is needed to make an experiment. Its artifact location is always `mlflow-artifacts:/<id>`.
#[derive(Debug, Clone)]
#[allow(missing_docs, reason = "the names are MLflow's")]
pub struct NewExperiment {
    pub name: String,
    pub tags: Vec<Pair>,
    pub created: Timestamp,
}

/// A search for experiments.
#[derive(Debug, Clone, Default)]
pub struct ExperimentQuery {
    /// All must hold.
    pub filter: Vec<Condition>,
    /// First is most significant; the id breaks ties.
    pub order: Vec<OrderBy>,
    /// Which lifecycle.
    pub view: ViewType,
    /// Ids that the asking principal may see; `None` is all.
    pub visible: Option<Vec<String>>,
    /// At most so many.
    pub limit: u32,
    /// Where to go on: what the page before gave as its `next`.
    pub after: Option<Cursor>,
}
