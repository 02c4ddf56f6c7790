use sealyard_store::model::{LoggedModel, LoggedModelStatus, Pair};
use serde::Serialize;
use serde_json::Value;

use super::MetricView;
use crate::http::ApiError;

/// A logged model of an answer.
#[derive(Debug, Serialize)]
pub(in crate::mlflow) struct LoggedModelView {
    info: Info,
    data: Data,
}

#[derive(Debug, Serialize)]
struct Info {
    model_id: String,
    experiment_id: String,
    name: String,
    creation_timestamp_ms: i64,
    last_updated_timestamp_ms: i64,
    artifact_uri: String,
    status: &'static str,
    #[serde(skip_serializing_if = "String::is_empty")]
    status_message: String,
    model_type: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    source_run_id: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tags: Vec<Pair>,
}

#[derive(Debug, Serialize)]
struct Data {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    params: Vec<Pair>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    metrics: Vec<MetricView>,
}

impl From<LoggedModel> for LoggedModelView {
    fn from(model: LoggedModel) -> Self {
        let source_run = model.source_run_id.clone();
        Self {
            info: Info {
                model_id: model.id,
                experiment_id: model.experiment_id,
                name: model.name,
                creation_timestamp_ms: model.created.as_millis(),
                last_updated_timestamp_ms: model.updated.as_millis(),
                artifact_uri: model.artifact_uri,
                status: match model.status {
                    LoggedModelStatus::Pending => "LOGGED_MODEL_PENDING",
                    LoggedModelStatus::Ready => "LOGGED_MODEL_READY",
                    LoggedModelStatus::UploadFailed => "LOGGED_MODEL_UPLOAD_FAILED",
                },
                status_message: model.status_message,
                model_type: model.model_type,
                source_run_id: model.source_run_id,
                tags: model.tags,
            },
            data: Data {
                params: model.params,
                metrics: model
                    .metrics
                    .into_iter()
                    .map(|found| MetricView::from(found.metric).of_run(found.run_id.or_else(|| source_run.clone())))
                    .collect(),
            },
        }
    }
}

/// MLflow's `LoggedModelStatus`, by name or number.
pub(in crate::mlflow) fn logged_model_status(given: &Value) -> Result<LoggedModelStatus, ApiError> {
    let text = match given {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    match text.as_str() {
        "LOGGED_MODEL_PENDING" | "1" => Ok(LoggedModelStatus::Pending),
        "LOGGED_MODEL_READY" | "2" => Ok(LoggedModelStatus::Ready),
        "LOGGED_MODEL_UPLOAD_FAILED" | "3" => Ok(LoggedModelStatus::UploadFailed),
        _ => Err(ApiError::invalid("Invalid value for parameter 'status'")),
    }
}
