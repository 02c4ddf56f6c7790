use std::collections::BTreeMap;

use sealyard_store::model::{
    Cursor, DatasetInput, Lifecycle, Metric, ModelOutput, NewRun, Page, Pair, Run, RunBatch, RunData, RunQuery,
    RunStatus, RunUpdate,
};
use sealyard_store::{Runs, StoreError};

use super::batch::{BATCH, ByNumber};
use super::convert::{Columns as _, already_exists, not_found};
use super::experiments::lifecycle;
use super::pairs::{RUN_PARAMS, RUN_TAGS};
use crate::doors::here;
use crate::search::{RUNS, Scope, Search};
use crate::session::Session;
use crate::sql::Row;

/// MLflow's tag that is the run's name too.
const NAME_TAG: &str = "mlflow.runName";

/// A page of runs ends early when it holds so much.
const PAGE_BYTES: usize = 48 << 20;

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
        let key = RunKey { number, experiment, started: new.start.as_millis() };
        // What was just written need not be read again: the last of two tags of the same name, and the name's own.
        let mut tags: BTreeMap<&str, &str> =
            new.tags.iter().map(|tag| (tag.key.as_str(), tag.value.as_str())).collect();
        let name = match (new.name.is_empty(), tags.get(NAME_TAG)) {
            (true, Some(tagged)) => (*tagged).to_owned(),
            _ => new.name.clone(),
        };
        if !name.is_empty() || tags.contains_key(NAME_TAG) {
            tags.insert(NAME_TAG, &name);
        }
        if name != new.name {
            self.execute("UPDATE runs SET name = ?2 WHERE number = ?1", (number, &name))?;
        }
        let tags: Vec<Pair> = tags.into_iter().map(|(key, value)| Pair::new(key, value)).collect();
        self.put_pairs_of_run(RUN_TAGS, key, &tags)?;
        Ok(Run {
            id: new.id.clone(),
            experiment_id: new.experiment_id.clone(),
            name,
            user: new.user.clone(),
            created_by: new.created_by.clone(),
            status: RunStatus::Running,
            start: new.start,
            end: None,
            artifact_uri: artifact_uri(experiment, &new.id),
            lifecycle: Lifecycle::Active,
            data: RunData { tags, ..RunData::default() },
        })
    }

    fn run(&mut self, id: &str) -> Result<Option<Run>, StoreError> {
        let sql = format!(here!("SELECT {} FROM runs WHERE id = ?1"), RUN_COLUMNS);
        let found = self.optional(&sql, (id, self.workspace()), read_run)?;
        found.map(|(number, run)| self.with_data(number, run)).transpose()
    }

    fn experiment_of_run(&mut self, id: &str) -> Result<Option<String>, StoreError> {
        self.optional(here!("SELECT experiment FROM runs WHERE id = ?1"), (id, self.workspace()), |row| {
            row.get::<i64>(0).map(|number| number.to_string())
        })
    }

    fn update_run(&mut self, id: &str, update: &RunUpdate) -> Result<Run, StoreError> {
        // The bin's own switch works on a run in the bin; nothing else does.
        let key = self.any_run(id)?;
        let number = key.number;
        if update.lifecycle.is_none() {
            self.active_run(id)?;
        }
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
            self.rename_run(key, name)?;
        }
        self.load_run(number)
    }

    fn log_batch(&mut self, run_id: &str, batch: &RunBatch) -> Result<(), StoreError> {
        let key = self.active_run(run_id)?;
        self.put_params(key, run_id, &batch.params)?;
        self.put_metrics(key, &batch.metrics)?;
        self.put_run_tags(key, &batch.tags)
    }

    fn delete_run_tag(&mut self, run_id: &str, key: &str) -> Result<(), StoreError> {
        let number = self.active_run(run_id)?.number;
        self.delete_pair(RUN_TAGS, number, key)
    }

    fn log_inputs(&mut self, run_id: &str, datasets: &[DatasetInput], models: &[String]) -> Result<(), StoreError> {
        let number = self.active_run(run_id)?.number;
        self.put_inputs(number, datasets, models)
    }

    fn log_outputs(&mut self, run_id: &str, models: &[ModelOutput]) -> Result<(), StoreError> {
        let number = self.active_run(run_id)?.number;
        self.put_outputs(number, models)
    }

    fn metric_history(
        &mut self,
        run_id: &str,
        key: &str,
        limit: u32,
        after: Option<&Cursor>,
    ) -> Result<Page<Metric>, StoreError> {
        let number = self.run_key(run_id)?;
        self.read_history(number, key, limit, after)
    }

    fn search_runs(&mut self, query: &RunQuery) -> Result<Page<Run>, StoreError> {
        let search = self.run_search(query)?;
        let page = search.run()?;
        let mut items = Vec::with_capacity(page.items.len());
        let mut bytes = 0_usize;
        for numbers in page.items.chunks(BATCH) {
            let runs = self.load_runs(numbers)?;
            bytes = runs.iter().map(size).fold(bytes, usize::saturating_add);
            items.extend(runs);
            // A shorter page says where to go on, as every page does.
            if bytes >= PAGE_BYTES && items.len() < page.items.len() {
                let next = numbers.last().map(|last| search.place(*last)).transpose()?;
                return Ok(Page { items, next });
            }
        }
        Ok(Page { items, next: page.next })
    }

    fn explain_runs(&mut self, query: &RunQuery) -> Result<Vec<String>, StoreError> {
        self.run_search(query)?.explain()
    }
}

impl Session<'_> {
    /// The key of a run that is there, in the bin or not.
    pub(super) fn run_key(&self, id: &str) -> Result<i64, StoreError> {
        self.optional(here!("SELECT number FROM runs WHERE id = ?1"), (id, self.workspace()), |row| row.get(0))?
            .ok_or_else(|| not_found("run", id))
    }

    /// A run that is there, in the bin or not.
    fn any_run(&self, id: &str) -> Result<RunKey, StoreError> {
        let sql = here!("SELECT number, experiment, started FROM runs WHERE id = ?1");
        self.optional(sql, (id, self.workspace()), |row| {
            Ok(RunKey { number: row.get(0)?, experiment: row.get(1)?, started: row.get(2)? })
        })?
        .ok_or_else(|| not_found("run", id))
    }

    /// A run that takes changes.
    pub(super) fn active_run(&self, id: &str) -> Result<RunKey, StoreError> {
        let sql = here!("SELECT number, experiment, started, deleted FROM runs WHERE id = ?1");
        let row = self.optional(sql, (id, self.workspace()), |row| {
            let key = RunKey { number: row.get(0)?, experiment: row.get(1)?, started: row.get(2)? };
            Ok((key, row.get::<bool>(3)?))
        })?;
        match row {
            Some((key, false)) => Ok(key),
            Some(_) => Err(StoreError::Conflict(format!(
                "The run {id} must be in the 'active' state. Current state is deleted."
            ))),
            None => Err(not_found("run", id)),
        }
    }

    /// A run's name and its name tag always agree.
    fn rename_run(&self, run: RunKey, name: &str) -> Result<(), StoreError> {
        self.execute("UPDATE runs SET name = ?2 WHERE number = ?1", (run.number, name))?;
        self.put_pairs_of_run(RUN_TAGS, run, &[Pair::new(NAME_TAG, name)])
    }

    fn put_run_tags(&self, run: RunKey, tags: &[Pair]) -> Result<(), StoreError> {
        self.put_pairs_of_run(RUN_TAGS, run, tags)?;
        match tags.iter().rfind(|tag| tag.key == NAME_TAG) {
            Some(name) => self.rename_run(run, &name.value),
            None => Ok(()),
        }
    }

    fn put_params(&self, run: RunKey, run_id: &str, params: &[Pair]) -> Result<(), StoreError> {
        let RunKey { number, experiment, started } = run;
        let added = self.execute_many(
            "INSERT INTO run_params (run, key, value, experiment, started) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT DO NOTHING",
            params.iter().map(|Pair { key, value }| (number, key, value, experiment, started)),
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

    fn run_search<'q>(&'q self, query: &'q RunQuery) -> Result<Search<'q>, StoreError> {
        let experiments = self.experiments_here(&query.experiments)?;
        let scope = Scope { experiments: Some(experiments), view: query.view, has_bin: true, ..Scope::default() };
        Search::new(self, RUNS, scope, (&query.filter, &query.order), query.limit, query.after.as_ref())
    }

    fn load_run(&self, number: i64) -> Result<Run, StoreError> {
        let found = self.optional(&format!("SELECT {RUN_COLUMNS} FROM runs WHERE number = ?1"), [number], read_run)?;
        let (number, run) = found.ok_or_else(|| not_found("run", number.to_string()))?;
        self.with_data(number, run)
    }

    fn with_data(&self, number: i64, mut run: Run) -> Result<Run, StoreError> {
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

    /// Runs with all that was logged to them, in the order of `numbers`.
    fn load_runs(&self, numbers: &[i64]) -> Result<Vec<Run>, StoreError> {
        let rows =
            self.all_of(numbers, |among| format!("SELECT {RUN_COLUMNS} FROM runs WHERE number {among}"), read_run)?;
        let mut runs = ByNumber::new(rows);
        runs.add(self.latest_metrics_of(numbers)?, |run, metric| run.data.metrics.push(metric));
        runs.add(self.pairs_of(RUN_PARAMS, numbers)?, |run, pair| run.data.params.push(pair));
        runs.add(self.pairs_of(RUN_TAGS, numbers)?, |run, pair| run.data.tags.push(pair));
        runs.add(self.dataset_inputs_of(numbers)?, |run, input| run.data.inputs.push(input));
        runs.add(self.model_inputs_of(numbers)?, |run, model| run.data.model_inputs.push(model));
        runs.add(self.model_outputs_of(numbers)?, |run, output| run.data.outputs.push(output));
        Ok(runs.in_order(numbers))
    }
}

/// A run's row, and what the tables of its values repeat of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct RunKey {
    pub(super) number: i64,
    pub(super) experiment: i64,
    pub(super) started: i64,
}

const RUN_COLUMNS: &str = "number, id, experiment, name, \"user\", created_by, status, started, ended, deleted";

fn read_run(row: &Row<'_>) -> Result<(i64, Run), StoreError> {
    let id: String = row.get(1)?;
    let experiment: i64 = row.get(2)?;
    let run = Run {
        artifact_uri: artifact_uri(experiment, &id),
        id,
        experiment_id: experiment.to_string(),
        name: row.get(3)?,
        user: row.get(4)?,
        created_by: row.get(5)?,
        status: row.named(6, status)?,
        start: row.timestamp(7)?,
        end: row.optional_timestamp(8)?,
        lifecycle: lifecycle(row.get(9)?),
        data: RunData::default(),
    };
    Ok((row.get(0)?, run))
}

fn artifact_uri(experiment: i64, id: &str) -> String {
    format!("mlflow-artifacts:/{experiment}/{id}/artifacts")
}

/// About how many bytes a run takes.
fn size(run: &Run) -> usize {
    let pairs = run.data.params.iter().chain(&run.data.tags).map(|pair| pair.key.len() + pair.value.len() + 64);
    let inputs = run.data.inputs.iter().map(|input| {
        let optional = |text: &Option<String>| text.as_ref().map_or(0, String::len);
        input.source.len() + optional(&input.schema) + optional(&input.profile) + 256
    });
    let metrics = run.data.metrics.iter().map(|metric| metric.key.len() + 128);
    pairs.chain(inputs).chain(metrics).fold(512, usize::saturating_add)
}

fn status(text: &str) -> Option<RunStatus> {
    STATUSES.iter().find(|(_, name)| *name == text).map(|(status, _)| *status)
}

fn status_text(wanted: RunStatus) -> &'static str {
    STATUSES.iter().find(|(status, _)| *status == wanted).map_or("RUNNING", |(_, name)| name)
}
