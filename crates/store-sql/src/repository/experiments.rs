use sealyard_core::Timestamp;
use sealyard_store::model::{Experiment, ExperimentQuery, Field, Lifecycle, NewExperiment, OrderBy, Page, Pair};
use sealyard_store::{Experiments, StoreError};

use super::batch::ByNumber;
use super::convert::{Columns as _, already_exists, experiment_number, not_found};
use super::pairs::EXPERIMENT_TAGS;
use crate::search::{EXPERIMENTS, Scope, Search};
use crate::session::Session;

impl Experiments for Session<'_> {
    fn create_experiment(&mut self, new: &NewExperiment) -> Result<Experiment, StoreError> {
        self.check_workspace()?;
        let number = self
            .insert(
                "INSERT INTO experiments (key, name, workspace, created, updated) VALUES (?1, ?2, ?3, ?4, ?4)
                 ON CONFLICT DO NOTHING RETURNING number",
                (self.key_of(&new.name), &new.name, self.workspace(), new.created.as_millis()),
            )?
            .ok_or_else(|| already_exists("experiment", &new.name))?;
        self.put_pairs(EXPERIMENT_TAGS, number, &new.tags)?;
        self.load_experiment(number)
    }

    fn experiment(&mut self, id: &str) -> Result<Option<Experiment>, StoreError> {
        found(self.experiment_key(id).and_then(|number| self.load_experiment(number)))
    }

    fn experiment_by_name(&mut self, name: &str) -> Result<Option<Experiment>, StoreError> {
        let number = self.optional(
            "SELECT number FROM experiments WHERE key = ?1 AND workspace = ?2",
            (self.key_of(name), self.workspace()),
            |row| row.get(0),
        )?;
        number.map(|number| self.load_experiment(number)).transpose()
    }

    fn rename_experiment(&mut self, id: &str, name: &str, now: Timestamp) -> Result<(), StoreError> {
        let number = self.experiment_key(id)?;
        let renamed = self.execute(
            "UPDATE experiments SET name = ?2, key = ?3, updated = ?4 WHERE number = ?1 AND workspace = ?5
                 AND NOT EXISTS (SELECT 1 FROM experiments other WHERE other.key = ?3 AND other.number <> ?1)",
            (number, name, self.key_of(name), now.as_millis(), self.workspace()),
        )?;
        if renamed == 0 { Err(already_exists("experiment", name)) } else { Ok(()) }
    }

    fn set_experiment_lifecycle(&mut self, id: &str, lifecycle: Lifecycle, now: Timestamp) -> Result<(), StoreError> {
        let number = self.experiment_key(id)?;
        self.execute(
            "UPDATE experiments SET deleted = ?2, updated = ?3 WHERE number = ?1",
            (number, lifecycle == Lifecycle::Deleted, now.as_millis()),
        )?;
        Ok(())
    }

    fn set_experiment_tag(&mut self, id: &str, key: &str, value: &str) -> Result<(), StoreError> {
        let number = self.experiment_key(id)?;
        self.put_pairs(EXPERIMENT_TAGS, number, &[Pair::new(key, value)])
    }

    fn delete_experiment_tag(&mut self, id: &str, key: &str) -> Result<(), StoreError> {
        let number = self.experiment_key(id)?;
        self.delete_pair(EXPERIMENT_TAGS, number, key)
    }

    fn search_experiments(&mut self, query: &ExperimentQuery) -> Result<Page<Experiment>, StoreError> {
        let visible = query.visible.as_ref();
        let numbers = visible.map(|ids| ids.iter().filter_map(|id| experiment_number(id)).collect());
        let scope = Scope { view: query.view, has_bin: true, numbers, ..Scope::default() };
        // Without an order the newest come first, and of the same moment the first made.
        let usual = [("creation_time", false), ("experiment_id", true)]
            .map(|(name, ascending)| OrderBy { field: Field::Attribute(name), ascending });
        let order = if query.order.is_empty() { usual.as_slice() } else { query.order.as_slice() };
        let search = Search::new(self, EXPERIMENTS, scope, (&query.filter, order), query.limit, query.after.as_ref())?;
        let page = search.run()?;
        Ok(Page { items: self.load_experiments(&page.items)?, next: page.next })
    }
}

impl Session<'_> {
    /// The key of an experiment that is there, in the bin or not.
    pub(super) fn experiment_key(&self, id: &str) -> Result<i64, StoreError> {
        let missing = || not_found("experiment", id);
        let number = experiment_number(id).ok_or_else(missing)?;
        let here = "SELECT 1 FROM experiments WHERE number = ?1 AND workspace = ?2";
        match self.exists(here, (number, self.workspace()))? {
            true => Ok(number),
            false => Err(missing()),
        }
    }

    /// The key of an experiment that takes new things.
    pub(super) fn active_experiment(&self, id: &str) -> Result<i64, StoreError> {
        let missing = || not_found("experiment", id);
        let number = experiment_number(id).ok_or_else(missing)?;
        let here = "SELECT deleted FROM experiments WHERE number = ?1 AND workspace = ?2";
        match self.optional(here, (number, self.workspace()), |row| row.get(0))? {
            Some(false) => Ok(number),
            Some(true) => Err(StoreError::Conflict(format!(
                "The experiment {id} must be in the 'active' state. Current state is deleted."
            ))),
            None => Err(missing()),
        }
    }

    fn load_experiment(&self, number: i64) -> Result<Experiment, StoreError> {
        self.load_experiments(&[number])?.pop().ok_or_else(|| not_found("experiment", number.to_string()))
    }

    /// Experiments with their tags, in the order of `numbers`.
    fn load_experiments(&self, numbers: &[i64]) -> Result<Vec<Experiment>, StoreError> {
        let rows = self.all_of(
            numbers,
            |among| format!("SELECT number, name, deleted, created, updated FROM experiments WHERE number {among}"),
            |row| {
                let number: i64 = row.get(0)?;
                let experiment = Experiment {
                    id: number.to_string(),
                    name: row.get(1)?,
                    artifact_location: format!("mlflow-artifacts:/{number}"),
                    lifecycle: lifecycle(row.get(2)?),
                    created: row.timestamp(3)?,
                    updated: row.timestamp(4)?,
                    tags: Vec::new(),
                };
                Ok((number, experiment))
            },
        )?;
        let mut experiments = ByNumber::new(rows);
        experiments.add(self.pairs_of(EXPERIMENT_TAGS, numbers)?, |experiment, pair| experiment.tags.push(pair));
        Ok(experiments.in_order(numbers))
    }
}

pub(super) fn lifecycle(deleted: bool) -> Lifecycle {
    if deleted { Lifecycle::Deleted } else { Lifecycle::Active }
}

/// Absence as `None`.
pub(super) fn found<T>(result: Result<T, StoreError>) -> Result<Option<T>, StoreError> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(StoreError::NotFound { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}
