use sealyard_store::model::{Experiment, Lifecycle, Pair, ViewType};
use serde::Serialize;
use serde_json::Value;

use crate::http::ApiError;

/// An experiment of an answer.
#[derive(Debug, Serialize)]
pub(in crate::mlflow) struct ExperimentView {
    experiment_id: String,
    name: String,
    artifact_location: String,
    lifecycle_stage: &'static str,
    last_update_time: i64,
    creation_time: i64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tags: Vec<Pair>,
}

impl From<Experiment> for ExperimentView {
    fn from(experiment: Experiment) -> Self {
        let Experiment { id, name, artifact_location, lifecycle, created, updated, tags } = experiment;
        Self {
            experiment_id: id,
            name,
            artifact_location,
            lifecycle_stage: lifecycle_stage(lifecycle),
            last_update_time: updated.as_millis(),
            creation_time: created.as_millis(),
            tags,
        }
    }
}

pub(super) const fn lifecycle_stage(lifecycle: Lifecycle) -> &'static str {
    match lifecycle {
        Lifecycle::Active => "active",
        Lifecycle::Deleted => "deleted",
    }
}

/// MLflow's `ViewType`, by name or number; active ones when it is absent.
pub(in crate::mlflow) fn view_type(given: Option<&Value>) -> Result<ViewType, ApiError> {
    let text = match given {
        None => return Ok(ViewType::ActiveOnly),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    };
    match text.as_str() {
        "ACTIVE_ONLY" | "1" => Ok(ViewType::ActiveOnly),
        "DELETED_ONLY" | "2" => Ok(ViewType::DeletedOnly),
        "ALL" | "3" => Ok(ViewType::All),
        _ => Err(ApiError::invalid("Invalid value for parameter 'view_type': ACTIVE_ONLY, DELETED_ONLY or ALL")),
    }
}
