use std::collections::BTreeMap;

use sealyard_core::Timestamp;
use sealyard_store::StoreError;
use sealyard_store::import::{MetricPlace, SourceExperiment, SourceLoggedModel, SourceRun};
use sealyard_store::model::{DatasetInput, Lifecycle, LoggedModelStatus, Metric, ModelOutput, Pair, RunStatus};

use super::database::{Cell, Cells};
use super::source::MlflowSource;

type Result<T> = std::result::Result<T, StoreError>;

pub(super) fn lifecycle(text: &str) -> Lifecycle {
    if text == "deleted" { Lifecycle::Deleted } else { Lifecycle::Active }
}

pub(super) fn time(row: &Cells, index: usize) -> Result<Timestamp> {
    row.integer(index).map(Timestamp::from_millis)
}

/// `(?a, ?b, …)` for a list of so many.
pub(super) fn list(count: usize) -> String {
    let numbers: Vec<String> = (1..=count).map(|number| format!("?{number}")).collect();
    format!("({})", numbers.join(", "))
}

fn metric(row: &Cells) -> Result<(Metric, MetricPlace)> {
    let place = MetricPlace {
        step: row.integer(1)?,
        timestamp: row.integer(2)?,
        value: row.real(3)?.unwrap_or_default(),
        nan: row.integer(4)? != 0,
    };
    let value = if place.nan { f64::NAN } else { place.value };
    let metric = Metric {
        key: row.text(0)?,
        value,
        timestamp: place.timestamp,
        step: place.step,
        model_id: None,
        dataset_name: None,
        dataset_digest: None,
    };
    Ok((metric, place))
}

const METRIC: &str = "key, CAST(step AS BIGINT), CAST(timestamp AS BIGINT), CAST(value AS DOUBLE PRECISION),
    CASE WHEN is_nan THEN 1 ELSE 0 END";

impl MlflowSource {
    pub(super) fn read_experiments(&mut self) -> Result<Vec<SourceExperiment>> {
        let tags = self
            .database
            .rows("SELECT CAST(experiment_id AS TEXT), key, value FROM experiment_tags ORDER BY key", &[])?;
        let mut tags = grouped(&tags)?;
        let rows = self.database.rows(
            "SELECT CAST(experiment_id AS BIGINT), name, artifact_location, lifecycle_stage, CAST(creation_time AS BIGINT),
                 CAST(last_update_time AS BIGINT) FROM experiments ORDER BY experiment_id",
            &[],
        )?;
        rows.iter()
            .map(|row| {
                let id = row.integer(0)?;
                Ok(SourceExperiment {
                    id,
                    name: row.text(1)?,
                    artifact_location: row.text(2)?,
                    lifecycle: lifecycle(&row.text(3)?),
                    created: time(row, 4)?,
                    updated: time(row, 5)?,
                    tags: tags.remove(&id.to_string()).unwrap_or_default(),
                })
            })
            .collect()
    }

    /// Pairs of a table by what owns them.
    pub(super) fn pairs_of(
        &mut self,
        table: &str,
        owner: &str,
        names: (&str, &str),
        owners: &[Cell],
    ) -> Result<BTreeMap<String, Vec<Pair>>> {
        let (key, value) = names;
        let sql = format!(
            "SELECT {owner}, {key}, {value} FROM {table} WHERE {owner} IN {} ORDER BY {key}",
            list(owners.len())
        );
        grouped(&self.database.rows(&sql, owners)?)
    }

    pub(super) fn read_runs(&mut self, after: &str, limit: u32) -> Result<Vec<SourceRun>> {
        let rows = self.database.rows(
            "SELECT run_uuid, CAST(experiment_id AS BIGINT), name, user_id, status, CAST(start_time AS BIGINT),
                 CAST(end_time AS BIGINT), lifecycle_stage, artifact_uri
             FROM runs WHERE run_uuid > ?1 ORDER BY run_uuid LIMIT ?2",
            &[after.into(), i64::from(limit).into()],
        )?;
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let ids: Vec<Cell> = rows.iter().map(|row| row.text(0).map(Cell::Text)).collect::<Result<_>>()?;
        let mut params = self.pairs_of("params", "run_uuid", ("key", "value"), &ids)?;
        let mut tags = self.pairs_of("tags", "run_uuid", ("key", "value"), &ids)?;
        let mut latest = self.latest(&ids)?;
        let mut inputs = self.inputs(&ids)?;
        let (mut model_inputs, mut outputs) = self.models_of_runs(&ids)?;
        rows.iter()
            .map(|row| {
                let id = row.text(0)?;
                Ok(SourceRun {
                    experiment: row.integer(1)?,
                    name: row.text(2)?,
                    user: row.text(3)?,
                    status: status(&row.text(4)?),
                    start: time(row, 5)?,
                    end: row.optional_integer(6)?.map(Timestamp::from_millis),
                    lifecycle: lifecycle(&row.text(7)?),
                    artifact_uri: row.text(8)?,
                    params: params.remove(&id).unwrap_or_default(),
                    tags: tags.remove(&id).unwrap_or_default(),
                    latest: latest.remove(&id).unwrap_or_default(),
                    inputs: inputs.remove(&id).unwrap_or_default(),
                    model_inputs: model_inputs.remove(&id).unwrap_or_default(),
                    outputs: outputs.remove(&id).unwrap_or_default(),
                    id,
                })
            })
            .collect()
    }

    fn latest(&mut self, runs: &[Cell]) -> Result<BTreeMap<String, Vec<Metric>>> {
        let sql = format!(
            "SELECT {METRIC}, run_uuid FROM latest_metrics WHERE run_uuid IN {} ORDER BY key",
            list(runs.len())
        );
        let mut found: BTreeMap<String, Vec<Metric>> = BTreeMap::new();
        for row in self.database.rows(&sql, runs)? {
            found.entry(row.text(5)?).or_default().push(metric(&row)?.0);
        }
        Ok(found)
    }

    fn inputs(&mut self, runs: &[Cell]) -> Result<BTreeMap<String, Vec<DatasetInput>>> {
        let sql = format!(
            "SELECT i.destination_id, i.input_uuid, d.name, d.digest, d.dataset_source_type, d.dataset_source, d.dataset_schema,
                 d.dataset_profile
             FROM inputs i JOIN datasets d ON d.dataset_uuid = i.source_id
             WHERE i.source_type = 'DATASET' AND i.destination_type = 'RUN' AND i.destination_id IN {} ORDER BY d.name, d.digest",
            list(runs.len())
        );
        let rows = self.database.rows(&sql, runs)?;
        let mut tags = BTreeMap::new();
        for some in rows.chunks(500) {
            let ids: Vec<Cell> = some.iter().map(|row| row.text(1).map(Cell::Text)).collect::<Result<_>>()?;
            tags.extend(self.pairs_of("input_tags", "input_uuid", ("name", "value"), &ids)?);
        }
        let mut found: BTreeMap<String, Vec<DatasetInput>> = BTreeMap::new();
        for row in &rows {
            found.entry(row.text(0)?).or_default().push(DatasetInput {
                name: row.text(2)?,
                digest: row.text(3)?,
                source_type: row.text(4)?,
                source: row.text(5)?,
                schema: row.optional_text(6)?,
                profile: row.optional_text(7)?,
                tags: tags.remove(&row.text(1)?).unwrap_or_default(),
            });
        }
        Ok(found)
    }

    #[allow(clippy::type_complexity, reason = "two maps, taken apart at once")]
    fn models_of_runs(
        &mut self,
        runs: &[Cell],
    ) -> Result<(BTreeMap<String, Vec<String>>, BTreeMap<String, Vec<ModelOutput>>)> {
        let sql = format!(
            "SELECT source_id, source_type, destination_id, CAST(step AS BIGINT) FROM inputs
             WHERE source_type IN ('RUN_INPUT', 'RUN_OUTPUT') AND source_id IN {} ORDER BY destination_id, step",
            list(runs.len())
        );
        let (mut inputs, mut outputs): (BTreeMap<_, Vec<_>>, BTreeMap<_, Vec<_>>) = Default::default();
        for row in self.database.rows(&sql, runs)? {
            let (run, model_id) = (row.text(0)?, row.text(2)?);
            if row.text(1)? == "RUN_INPUT" {
                inputs.entry(run).or_default().push(model_id);
            } else {
                outputs.entry(run).or_default().push(ModelOutput { model_id, step: row.integer(3)? });
            }
        }
        Ok((inputs, outputs))
    }

    pub(super) fn read_metrics(
        &mut self,
        run: &str,
        key: &str,
        after: Option<MetricPlace>,
        limit: u32,
    ) -> Result<(Vec<Metric>, Option<MetricPlace>)> {
        let mut parameters: Vec<Cell> = vec![run.into(), key.into(), i64::from(limit).into()];
        let behind = match after {
            None => "",
            Some(place) => {
                let more =
                    [place.step.into(), place.timestamp.into(), Cell::Real(place.value), i64::from(place.nan).into()];
                parameters.extend(more);
                "AND (step, timestamp, value, CASE WHEN is_nan THEN 1 ELSE 0 END) > (?4, ?5, ?6, ?7)"
            }
        };
        let sql = format!(
            "SELECT {METRIC} FROM metrics WHERE run_uuid = ?1 AND key = ?2 {behind}
             ORDER BY step, timestamp, value, CASE WHEN is_nan THEN 1 ELSE 0 END LIMIT ?3"
        );
        let mut metrics = Vec::new();
        let mut place = None;
        for row in self.database.rows(&sql, &parameters)? {
            let (read, at) = metric(&row)?;
            metrics.push(read);
            place = Some(at);
        }
        Ok((metrics, place))
    }

    pub(super) fn read_model_metrics(&mut self, run: &str) -> Result<Vec<Metric>> {
        let rows = self.database.rows(
            "SELECT metric_name, CAST(metric_step AS BIGINT), CAST(metric_timestamp_ms AS BIGINT),
                 CAST(metric_value AS DOUBLE PRECISION), model_id, dataset_name, dataset_digest
             FROM logged_model_metrics WHERE run_id = ?1 ORDER BY model_id, metric_name, metric_step, metric_timestamp_ms",
            &[run.into()],
        )?;
        rows.iter()
            .map(|row| {
                Ok(Metric {
                    key: row.text(0)?,
                    step: row.integer(1)?,
                    timestamp: row.integer(2)?,
                    // SQLite has no NaN, and MLflow keeps it as NULL here.
                    value: row.real(3)?.unwrap_or(f64::NAN),
                    model_id: row.optional_text(4)?,
                    dataset_name: row.optional_text(5)?,
                    dataset_digest: row.optional_text(6)?,
                })
            })
            .collect()
    }

    pub(super) fn read_logged_models(&mut self, after: &str, limit: u32) -> Result<Vec<SourceLoggedModel>> {
        let rows = self.database.rows(
            "SELECT model_id, CAST(experiment_id AS BIGINT), name, artifact_location, CAST(creation_timestamp_ms AS BIGINT),
                 CAST(last_updated_timestamp_ms AS BIGINT), CAST(status AS BIGINT), status_message, model_type, source_run_id,
                 lifecycle_stage
             FROM logged_models WHERE model_id > ?1 ORDER BY model_id LIMIT ?2",
            &[after.into(), i64::from(limit).into()],
        )?;
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let ids: Vec<Cell> = rows.iter().map(|row| row.text(0).map(Cell::Text)).collect::<Result<_>>()?;
        let mut tags = self.pairs_of("logged_model_tags", "model_id", ("tag_key", "tag_value"), &ids)?;
        let mut params = self.pairs_of("logged_model_params", "model_id", ("param_key", "param_value"), &ids)?;
        rows.iter()
            .map(|row| {
                let id = row.text(0)?;
                Ok(SourceLoggedModel {
                    experiment: row.integer(1)?,
                    name: row.text(2)?,
                    artifact_location: row.text(3)?,
                    created: time(row, 4)?,
                    updated: time(row, 5)?,
                    status: match row.integer(6)? {
                        2 => LoggedModelStatus::Ready,
                        3 => LoggedModelStatus::UploadFailed,
                        _ => LoggedModelStatus::Pending,
                    },
                    message: row.text(7)?,
                    model_type: row.text(8)?,
                    source_run: row.optional_text(9)?,
                    lifecycle: lifecycle(&row.text(10)?),
                    tags: tags.remove(&id).unwrap_or_default(),
                    params: params.remove(&id).unwrap_or_default(),
                    id,
                })
            })
            .collect()
    }
}

/// Rows of owner, key and value, by owner.
fn grouped(rows: &[Cells]) -> Result<BTreeMap<String, Vec<Pair>>> {
    let mut found: BTreeMap<String, Vec<Pair>> = BTreeMap::new();
    for row in rows {
        found.entry(row.text(0)?).or_default().push(Pair::new(row.text(1)?, row.text(2)?));
    }
    Ok(found)
}

/// One that is not known is over, however it ended.
fn status(text: &str) -> RunStatus {
    match text {
        "RUNNING" => RunStatus::Running,
        "SCHEDULED" => RunStatus::Scheduled,
        "FINISHED" => RunStatus::Finished,
        "KILLED" => RunStatus::Killed,
        _ => RunStatus::Failed,
    }
}
