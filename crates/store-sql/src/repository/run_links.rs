use sealyard_store::StoreError;
use sealyard_store::model::{DatasetInput, ModelOutput};

use super::convert::Columns as _;
use crate::error::backend;
use crate::session::Session;

/// MLflow's tag that says what a data set was used for.
const CONTEXT_TAG: &str = "mlflow.data.context";

impl Session<'_> {
    /// A data set of the same name and digest is replaced.
    pub(super) fn put_inputs(&self, run: i64, datasets: &[DatasetInput], models: &[String]) -> Result<(), StoreError> {
        for dataset in datasets {
            let tags = serde_json::to_string(&dataset.tags).map_err(backend)?;
            let context = dataset.tags.iter().find(|tag| tag.key == CONTEXT_TAG).map(|tag| tag.value.as_str());
            self.execute(
                "INSERT INTO run_datasets
                     (run, name, digest, source_type, source, schema, profile, context, tags)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
                 ON CONFLICT (run, name, digest) DO UPDATE SET source_type = excluded.source_type,
                     source = excluded.source, schema = excluded.schema, profile = excluded.profile,
                     context = excluded.context, tags = excluded.tags",
                (
                    run,
                    &dataset.name,
                    &dataset.digest,
                    &dataset.source_type,
                    &dataset.source,
                    &dataset.schema,
                    &dataset.profile,
                    context,
                    tags,
                ),
            )?;
        }
        self.execute_many(
            "INSERT INTO run_model_inputs (run, model_id) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
            models.iter().map(|model| (run, model)),
        )?;
        Ok(())
    }

    pub(super) fn put_outputs(&self, run: i64, models: &[ModelOutput]) -> Result<(), StoreError> {
        self.execute_many(
            "INSERT INTO run_model_outputs (run, model_id, step) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
            models.iter().map(|model| (run, &model.model_id, model.step)),
        )?;
        Ok(())
    }

    pub(super) fn dataset_inputs(&self, run: i64) -> Result<Vec<DatasetInput>, StoreError> {
        Ok(values(self.dataset_inputs_of(&[run])?))
    }

    pub(super) fn dataset_inputs_of(&self, runs: &[i64]) -> Result<Vec<(i64, DatasetInput)>, StoreError> {
        self.all_of(
            runs,
            |among| {
                format!(
                    "SELECT run, name, digest, source_type, source, schema, profile, tags FROM run_datasets
                     WHERE run {among} ORDER BY run, name, digest"
                )
            },
            |row| {
                let input = DatasetInput {
                    name: row.get(1)?,
                    digest: row.get(2)?,
                    source_type: row.get(3)?,
                    source: row.get(4)?,
                    schema: row.get(5)?,
                    profile: row.get(6)?,
                    tags: row.named(7, |text| serde_json::from_str(text).ok())?,
                };
                Ok((row.get(0)?, input))
            },
        )
    }

    pub(super) fn model_inputs(&self, run: i64) -> Result<Vec<String>, StoreError> {
        Ok(values(self.model_inputs_of(&[run])?))
    }

    pub(super) fn model_inputs_of(&self, runs: &[i64]) -> Result<Vec<(i64, String)>, StoreError> {
        self.all_of(
            runs,
            |among| format!("SELECT run, model_id FROM run_model_inputs WHERE run {among} ORDER BY run, model_id"),
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
    }

    pub(super) fn model_outputs(&self, run: i64) -> Result<Vec<ModelOutput>, StoreError> {
        Ok(values(self.model_outputs_of(&[run])?))
    }

    pub(super) fn model_outputs_of(&self, runs: &[i64]) -> Result<Vec<(i64, ModelOutput)>, StoreError> {
        self.all_of(
            runs,
            |among| {
                format!(
                    "SELECT run, model_id, step FROM run_model_outputs WHERE run {among} ORDER BY run, step, model_id"
                )
            },
            |row| Ok((row.get(0)?, ModelOutput { model_id: row.get(1)?, step: row.get(2)? })),
        )
    }
}

fn values<T>(rows: Vec<(i64, T)>) -> Vec<T> {
    rows.into_iter().map(|(_, value)| value).collect()
}
