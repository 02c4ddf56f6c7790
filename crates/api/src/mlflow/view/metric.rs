use sealyard_store::model::Metric;
use serde::{Deserialize, Serialize};

use crate::http::{ApiError, Integer, Number};

/// A metric of a request.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::mlflow) struct MetricInput {
    key: String,
    value: Option<Number>,
    timestamp: Option<Integer>,
    step: Option<Integer>,
    model_id: Option<String>,
    dataset_name: Option<String>,
    dataset_digest: Option<String>,
}

impl MetricInput {
    /// As the catalog has it. `place` is how errors name where in the request it stands, such as `metrics[0].`.
    pub(in crate::mlflow) fn into_metric(self, place: &str) -> Result<Metric, ApiError> {
        let Self { key, value, timestamp, step, model_id, dataset_name, dataset_digest } = self;
        let missing = |name| ApiError::invalid(format!("Missing value for required parameter '{place}{name}'."));
        if key.is_empty() {
            return Err(missing("key"));
        }
        Ok(Metric {
            key,
            value: value.ok_or_else(|| missing("value"))?.0,
            timestamp: timestamp.ok_or_else(|| missing("timestamp"))?.0,
            step: step.map_or(0, |step| step.0),
            model_id: model_id.filter(|id| !id.is_empty()),
            dataset_name,
            dataset_digest,
        })
    }
}

/// A metric of an answer.
#[derive(Debug, Serialize)]
pub(in crate::mlflow) struct MetricView {
    key: String,
    value: Number,
    timestamp: i64,
    step: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    model_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dataset_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dataset_digest: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    run_id: Option<String>,
}

impl From<Metric> for MetricView {
    fn from(metric: Metric) -> Self {
        let Metric { key, value, timestamp, step, model_id, dataset_name, dataset_digest } = metric;
        Self { key, value: Number(value), timestamp, step, model_id, dataset_name, dataset_digest, run_id: None }
    }
}

impl MetricView {
    /// With the run it was logged to, as a logged model's metrics have it.
    pub(in crate::mlflow) fn of_run(self, run_id: Option<String>) -> Self {
        Self { run_id, ..self }
    }
}
