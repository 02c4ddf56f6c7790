use sealyard_store::model::{
    DatasetInput, Lifecycle, Metric, ModelOutput, NewRun, Page, Pair, Run, RunBatch, RunData, RunQuery, RunStatus,
    RunUpdate,
};
use sealyard_store::{Runs, StoreError};

use super::convert::{Columns as _, already_exists, experiment_number, not_found};
use super::experiments::{found, lifecycle, view};
use super::pairs::{RUN_PARAMS, RUN_TAGS};
use crate::search::{RUNS, Statement};
use crate::session::Session;

/// MLflow's tag that is the run's name too.
const NAME_TAG: &str = "mlflow.runName";

const STATUSES: [(RunStatus, &str); 5] = [
    (RunStatus::Running, "RUNNING"),
    (RunStatus::Scheduled, "SCHEDULED"),
    (RunStatus::Finished, "FINISHED"),
    (RunStatus::Failed, "FAILED"),
    (RunStatus::Killed, "KILLED"),
];

impl Runs for Session<'_> {
    fn create_run(&mut self, new: &NewRun) -> Result<Run, StoreError> {
        let experiment = self.active_experiment(&new.experiment_id)?;
        let number = self
            .insert(
                "INSERT INTO runs (id, experiment, name, \"user\", created_by, status, started)
                 VALUES (?1, ?2, ?3, ?4, ?5, 'RUNNING', ?6) ON CONFLICT DO NOTHING RETURNING number",
                (&new.id, experiment, &new.name, &new.user, &new.created_by, new.start.as_millis()),
            )?
            .ok_or_else(|| already_exists("run", &new.id))?;
        self.put_run_tags(number, &new.tags)?;
        if !new.name.is_empty() {
            self.rename_run(number, &new.name)?;
        }
        self.load_run(number)
    }

    fn run(&mut self, id: &str) -> Result<Option<Run>, StoreError> {
        found(self.run_key(id).and_then(|number| self.load_run(number)))
    }

    fn experiment_of_run(&mut self, id: &str) -> Result<Option<String>, StoreError> {
        self.optional("SELECT experiment FROM runs WHERE id = ?1", [id], |row| {
            row.get::<i64>(0).map(|number| number.to_string())
        })
    }

    fn update_run(&mut self, id: &str, update: &RunUpdate) -> Result<Run, StoreError> {
        // The bin's own switch works on a run in the bin; nothing else does.
        let number = if update.lifecycle.is_some() { self.run_key(id)? } else { self.active_run(id)? };
        if let Some(lifecycle) = update.lifecycle {
            self.execute("UPDATE runs SET deleted = ?2 WHERE number = ?1", (number, lifecycle == Lifecycle::Deleted))?;
        }
        if let Some(status) = update.status {
            self.execute("UPDATE runs SET status = ?2 WHERE number = ?1", (number, status_text(status)))?;
        }
        if let Some(end) = update.end {
            self.execute("UPDATE runs SET ended = ?2 WHERE number = ?1", (number, end.as_millis()))?;
        }
        if let Some(name) = &update.name {
            self.rename_run(number, name)?;
        }
        self.load_run(number)
    }

    fn log_batch(&mut self, run_id: &str, batch: &RunBatch) -> Result<(), StoreError> {
        let number = self.active_run(run_id)?;
        self.put_params(number, run_id, &batch.params)?;
        self.put_metrics(number, &batch.metrics)?;
        self.put_run_tags(number, &batch.tags)
    }

    fn delete_run_tag(&mut self, run_id: &str, key: &str) -> Result<(), StoreError> {
        let number = self.active_run(run_id)?;
        self.delete_pair(RUN_TAGS, number, key)
    }

    fn log_inputs(&mut self, run_id: &str, datasets: &[DatasetInput], models: &[String]) -> Result<(), StoreError> {
        let number = self.active_run(run_id)?;
        self.put_inputs(number, datasets, models)
    }

    fn log_outputs(&mut self, run_id: &str, models: &[ModelOutput]) -> Result<(), StoreError> {
        let number = self.active_run(run_id)?;
        self.put_outputs(number, models)
    }

    fn metric_history(&mut self, run_id: &str, key: &str, limit: u32, offset: u64) -> Result<Page<Metric>, StoreError> {
        let number = self.run_key(run_id)?;
        self.read_history(number, key, limit, offset)
    }

    fn search_runs(&mut self, query: &RunQuery) -> Result<Page<Run>, StoreError> {
        let experiments: Vec<i64> = query.experiments.iter().filter_map(|id| experiment_number(id)).collect();
        let mut statement = Statement::new(self.dialect(), RUNS);
        statement.and_number_in("t.experiment", &experiments)?;
        if let Some(condition) = view(query.view) {
            statement.and(condition);
        }
        let page = statement.run(self, &query.filter, &query.order, query.limit, query.offset)?;
        let items = page.items.into_iter().map(|number| self.load_run(number)).collect::<Result<_, _>>()?;
        Ok(Page { items, next: page.next })
    }
}

impl Session<'_> {
    /// The key of a run that is there, in the bin or not.
    pub(super) fn run_key(&self, id: &str) -> Result<i64, StoreError> {
        self.optional("SELECT number FROM runs WHERE id = ?1", [id], |row| row.get(0))?
            .ok_or_else(|| not_found("run", id))
    }

    /// The key of a run that takes changes.
    pub(super) fn active_run(&self, id: &str) -> Result<i64, StoreError> {
        let row: Option<(i64, bool)> =
            self.optional("SELECT number, deleted FROM runs WHERE id = ?1", [id], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })?;
        match row {
            Some((number, false)) => Ok(number),
            Some(_) => Err(StoreError::Conflict(format!("run {id:?} is deleted; restore it first"))),
            None => Err(not_found("run", id)),
        }
    }

    /// A run's name and its name tag always agree.
    fn rename_run(&self, number: i64, name: &str) -> Result<(), StoreError> {
        self.execute("UPDATE runs SET name = ?2 WHERE number = ?1", (number, name))?;
        self.put_pairs(RUN_TAGS, number, &[Pair::new(NAME_TAG, name)])
    }

    fn put_run_tags(&self, number: i64, tags: &[Pair]) -> Result<(), StoreError> {
        self.put_pairs(RUN_TAGS, number, tags)?;
        match tags.iter().rfind(|tag| tag.key == NAME_TAG) {
            Some(name) => self.rename_run(number, &name.value),
            None => Ok(()),
        }
    }

    fn put_params(&self, number: i64, run_id: &str, params: &[Pair]) -> Result<(), StoreError> {
        let added = self.execute_many(
            "INSERT INTO run_params (run, key, value) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
            params.iter().map(|Pair { key, value }| (number, key, value)),
        )?;
        if added == params.len() {
            return Ok(());
        }
        // Some were there, or stand twice in the list: what is kept must be what was asked for.
        for Pair { key, value } in params {
            let there: Option<String> =
                self.optional("SELECT value FROM run_params WHERE run = ?1 AND key = ?2", (number, key), |row| {
                    row.get(0)
                })?;
            if let Some(there) = there.filter(|there| there != value) {
                return Err(StoreError::Conflict(format!(
                    "Changing param values is not allowed. Param with key='{key}' was already logged with \
                     value='{there}' for run ID='{run_id}'. Attempted logging new value '{value}'."
                )));
            }
        }
        Ok(())
    }

    fn load_run(&self, number: i64) -> Result<Run, StoreError> {
        let run = self.optional(
            "SELECT id, experiment, name, \"user\", created_by, status, started, ended, deleted FROM runs WHERE number = ?1",
            [number],
            |row| {
                let id: String = row.get(0)?;
                let experiment: i64 = row.get(1)?;
                Ok(Run {
                    artifact_uri: format!("mlflow-artifacts:/{experiment}/{id}/artifacts"),
                    id,
                    experiment_id: experiment.to_string(),
                    name: row.get(2)?,
                    user: row.get(3)?,
                    created_by: row.get(4)?,
                    status: row.named(5, status)?,
                    start: row.timestamp(6)?,
                    end: row.optional_timestamp(7)?,
                    lifecycle: lifecycle(row.get(8)?),
                    data: RunData::default(),
                })
            },
        )?;
        let mut run = run.ok_or_else(|| not_found("run", number.to_string()))?;
        run.data = RunData {
            metrics: self.latest_metrics(number)?,
            params: self.pairs(RUN_PARAMS, number)?,
            tags: self.pairs(RUN_TAGS, number)?,
            inputs: self.dataset_inputs(number)?,
            model_inputs: self.model_inputs(number)?,
            outputs: self.model_outputs(number)?,
        };
        Ok(run)
    }
}

fn status(text: &str) -> Option<RunStatus> {
    STATUSES.iter().find(|(_, name)| *name == text).map(|(status, _)| *status)
}

fn status_text(wanted: RunStatus) -> &'static str {
    STATUSES.iter().find(|(status, _)| *status == wanted).map_or("RUNNING", |(_, name)| name)
}
