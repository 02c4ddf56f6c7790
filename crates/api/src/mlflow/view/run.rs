use sealyard_store::model::{DatasetInput, ModelOutput, Pair, Run, RunStatus};
use serde::Serialize;
use serde_json::Value;

use super::MetricView;
use super::experiment::lifecycle_stage;
use crate::http::ApiError;

/// What a run is, without what was logged to it.
#[derive(Debug, Serialize)]
pub(in crate::mlflow) struct RunInfoView {
    run_uuid: String,
    experiment_id: String,
    run_name: String,
    user_id: String,
    status: &'static str,
    start_time: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    end_time: Option<i64>,
    artifact_uri: String,
    lifecycle_stage: &'static str,
    run_id: String,
}

/// A run of an answer.
#[derive(Debug, Serialize)]
pub(in crate::mlflow) struct RunView {
    info: RunInfoView,
    data: Data,
    inputs: Inputs,
    outputs: Outputs,
}

#[derive(Debug, Serialize)]
struct Data {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    metrics: Vec<MetricView>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    params: Vec<Pair>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tags: Vec<Pair>,
}

#[derive(Debug, Serialize)]
struct Inputs {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    dataset_inputs: Vec<DatasetInputView>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    model_inputs: Vec<ModelInputView>,
}

#[derive(Debug, Serialize)]
struct Outputs {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    model_outputs: Vec<ModelOutputView>,
}

#[derive(Debug, Serialize)]
struct DatasetInputView {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tags: Vec<Pair>,
    dataset: DatasetView,
}

#[derive(Debug, Serialize)]
struct DatasetView {
    name: String,
    digest: String,
    source_type: String,
    source: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    schema: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    profile: Option<String>,
}

#[derive(Debug, Serialize)]
struct ModelInputView {
    model_id: String,
}

#[derive(Debug, Serialize)]
struct ModelOutputView {
    model_id: String,
    step: i64,
}

impl From<&Run> for RunInfoView {
    fn from(run: &Run) -> Self {
        Self {
            run_uuid: run.id.clone(),
            experiment_id: run.experiment_id.clone(),
            run_name: run.name.clone(),
            user_id: run.user.clone(),
            status: match run.status {
                RunStatus::Running => "RUNNING",
                RunStatus::Scheduled => "SCHEDULED",
                RunStatus::Finished => "FINISHED",
                RunStatus::Failed => "FAILED",
                RunStatus::Killed => "KILLED",
            },
            start_time: run.start.as_millis(),
            end_time: run.end.map(sealyard_core::Timestamp::as_millis),
            artifact_uri: run.artifact_uri.clone(),
            lifecycle_stage: lifecycle_stage(run.lifecycle),
            run_id: run.id.clone(),
        }
    }
}

impl From<Run> for RunView {
    fn from(run: Run) -> Self {
        let info = RunInfoView::from(&run);
        let data = run.data;
        Self {
            info,
            data: Data {
                metrics: data.metrics.into_iter().map(MetricView::from).collect(),
                params: data.params,
                tags: data.tags,
            },
            inputs: Inputs {
                dataset_inputs: data.inputs.into_iter().map(DatasetInputView::from).collect(),
                model_inputs: data.model_inputs.into_iter().map(|model_id| ModelInputView { model_id }).collect(),
            },
            outputs: Outputs {
                model_outputs: data
                    .outputs
                    .into_iter()
                    .map(|ModelOutput { model_id, step }| ModelOutputView { model_id, step })
                    .collect(),
            },
        }
    }
}

impl From<DatasetInput> for DatasetInputView {
    fn from(input: DatasetInput) -> Self {
        let DatasetInput { name, digest, source_type, source, schema, profile, tags } = input;
        Self { tags, dataset: DatasetView { name, digest, source_type, source, schema, profile } }
    }
}

/// MLflow's `RunStatus`, by name or number.
pub(in crate::mlflow) fn run_status(given: &Value) -> Result<RunStatus, ApiError> {
    let text = match given {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    match text.as_str() {
        "RUNNING" | "1" => Ok(RunStatus::Running),
        "SCHEDULED" | "2" => Ok(RunStatus::Scheduled),
        "FINISHED" | "3" => Ok(RunStatus::Finished),
        "FAILED" | "4" => Ok(RunStatus::Failed),
        "KILLED" | "5" => Ok(RunStatus::Killed),
        _ => Err(ApiError::invalid(
            "Invalid value for parameter 'status': RUNNING, SCHEDULED, FINISHED, FAILED or KILLED",
        )),
    }
}
