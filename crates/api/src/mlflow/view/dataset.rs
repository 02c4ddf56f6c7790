use sealyard_store::model::{DatasetRecord, EvaluationDataset};
use serde::Serialize;
use serde_json::{Map, Value};

use super::trace::map;

/// An evaluation data set of an answer. Tags, schema and profile are JSON in a text, as in MLflow's protobuf.
#[derive(Debug, Serialize)]
pub(in crate::mlflow) struct DatasetView {
    dataset_id: String,
    name: String,
    tags: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    schema: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    profile: Option<String>,
    digest: String,
    created_time: i64,
    last_update_time: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    created_by: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_updated_by: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    experiment_ids: Vec<String>,
}

impl From<EvaluationDataset> for DatasetView {
    fn from(dataset: EvaluationDataset) -> Self {
        Self {
            dataset_id: dataset.id,
            name: dataset.name,
            tags: serde_json::to_string(&map(dataset.tags)).unwrap_or_else(|_| "{}".to_owned()),
            schema: dataset.schema,
            profile: dataset.profile,
            digest: dataset.digest,
            created_time: dataset.created,
            last_update_time: dataset.updated,
            created_by: dataset.created_by,
            last_updated_by: dataset.updated_by,
            experiment_ids: dataset.experiment_ids,
        }
    }
}

/// A record as it stands in the JSON text of an answer.
pub(in crate::mlflow) fn record(dataset_id: &str, record: DatasetRecord) -> Value {
    let parsed = |text: String| serde_json::from_str::<Value>(&text).unwrap_or_default();
    let mut fields = Map::new();
    let mut add = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            fields.insert(name.to_owned(), value);
        }
    };
    add("dataset_record_id", Some(record.id.into()));
    add("dataset_id", Some(dataset_id.into()));
    add("inputs", Some(parsed(record.inputs)));
    add("outputs", record.outputs.map(parsed));
    add("expectations", record.expectations.map(parsed));
    add("tags", record.tags.map(parsed));
    add("source", record.source.map(parsed));
    add("source_id", record.source_id.map(Value::from));
    add("source_type", record.source_type.map(Value::from));
    add("created_time", Some(record.created.into()));
    add("last_update_time", Some(record.updated.into()));
    add("created_by", record.created_by.map(Value::from));
    add("last_updated_by", record.updated_by.map(Value::from));
    Value::Object(fields)
}
