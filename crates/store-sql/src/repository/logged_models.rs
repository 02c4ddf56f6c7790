use sealyard_core::{Digest, Timestamp};
use sealyard_store::model::{
    LoggedModel, LoggedModelQuery, LoggedModelStatus, Metric, ModelMetric, NewLoggedModel, Page, Pair,
};
use sealyard_store::{LoggedModels, StoreError};

use super::batch::ByNumber;
use super::convert::{Columns as _, already_exists, not_found};
use super::experiments::found;
use super::pairs::{LOGGED_MODEL_PARAMS, LOGGED_MODEL_TAGS};
use crate::doors::here;
use crate::search::{LOGGED_MODELS, Scope, Search};
use crate::session::Session;
use crate::sql::Row;

const STATUSES: [(LoggedModelStatus, &str); 3] = [
    (LoggedModelStatus::Pending, "PENDING"),
    (LoggedModelStatus::Ready, "READY"),
    (LoggedModelStatus::UploadFailed, "UPLOAD_FAILED"),
];

impl LoggedModels for Session<'_> {
    fn create_logged_model(&mut self, new: &NewLoggedModel) -> Result<LoggedModel, StoreError> {
        let experiment = self.active_experiment(&new.experiment_id)?;
        let number = self
            .insert(
                "INSERT INTO logged_models
                     (id, experiment, name, source_run, model_type, status, created, updated, created_by)
                 VALUES (?1, ?2, ?3, ?4, ?5, 'PENDING', ?6, ?6, ?7) ON CONFLICT DO NOTHING RETURNING number",
                (
                    &new.id,
                    experiment,
                    &new.name,
                    &new.source_run_id,
                    &new.model_type,
                    new.created.as_millis(),
                    &new.created_by,
                ),
            )?
            .ok_or_else(|| already_exists("logged model", &new.id))?;
        self.put_pairs(LOGGED_MODEL_TAGS, number, &new.tags)?;
        self.put_pairs(LOGGED_MODEL_PARAMS, number, &new.params)?;
        self.load_logged_model(number)
    }

    fn logged_model(&mut self, id: &str) -> Result<Option<LoggedModel>, StoreError> {
        found(self.logged_model_key(id).and_then(|number| self.load_logged_model(number)))
    }

    fn finalise_logged_model(
        &mut self,
        id: &str,
        status: LoggedModelStatus,
        message: &str,
        tree: Option<Digest>,
        now: Timestamp,
    ) -> Result<LoggedModel, StoreError> {
        let number = self.logged_model_key(id)?;
        if status == LoggedModelStatus::Pending {
            return Err(StoreError::Invalid(format!("logged model {id:?} can't be finalised as pending")));
        }
        let tree = tree.filter(|_| status == LoggedModelStatus::Ready);
        let finalised = self.execute(
            "UPDATE logged_models SET status = ?2, message = ?3, tree = coalesce(?4, tree), updated = ?5
             WHERE number = ?1 AND (status = 'PENDING' OR (status = 'READY' AND ?2 = 'UPLOAD_FAILED'))",
            (number, status_text(status), message, tree.as_ref().map(Digest::as_bytes), now.as_millis()),
        )?;
        if finalised == 0 {
            return Err(StoreError::Conflict(format!("logged model {id:?} is finalised already")));
        }
        self.load_logged_model(number)
    }

    fn set_logged_model_tags(&mut self, id: &str, tags: &[Pair], now: Timestamp) -> Result<(), StoreError> {
        let number = self.logged_model_key(id)?;
        self.put_pairs(LOGGED_MODEL_TAGS, number, tags)?;
        self.execute("UPDATE logged_models SET updated = ?2 WHERE number = ?1", (number, now.as_millis()))?;
        Ok(())
    }

    fn delete_logged_model_tag(&mut self, id: &str, key: &str) -> Result<(), StoreError> {
        let number = self.logged_model_key(id)?;
        self.delete_pair(LOGGED_MODEL_TAGS, number, key)
    }

    fn log_logged_model_params(&mut self, id: &str, params: &[Pair]) -> Result<(), StoreError> {
        let number = self.logged_model_key(id)?;
        let there = self.pairs(LOGGED_MODEL_PARAMS, number)?;
        for new in params {
            if let Some(old) = there.iter().find(|old| old.key == new.key && old.value != new.value) {
                return Err(StoreError::Conflict(format!(
                    "parameter {:?} of logged model {id:?} is {:?} already and can't become {:?}",
                    old.key, old.value, new.value
                )));
            }
        }
        self.put_pairs(LOGGED_MODEL_PARAMS, number, params)
    }

    fn delete_logged_model(&mut self, id: &str, now: Timestamp) -> Result<(), StoreError> {
        let number = self.logged_model_key(id)?;
        self.execute(
            "UPDATE logged_models SET deleted = 1, updated = ?2 WHERE number = ?1",
            (number, now.as_millis()),
        )?;
        Ok(())
    }

    fn search_logged_models(&mut self, query: &LoggedModelQuery) -> Result<Page<LoggedModel>, StoreError> {
        let experiments = self.experiments_here(&query.experiments)?;
        let scope = Scope { experiments: Some(experiments), has_bin: true, ..Scope::default() };
        let (limit, after) = (query.limit, query.after.as_ref());
        let page = Search::new(self, LOGGED_MODELS, scope, (&query.filter, &query.order), limit, after)?.run()?;
        Ok(Page { items: self.load_logged_models(&page.items)?, next: page.next })
    }
}

impl Session<'_> {
    fn logged_model_key(&self, id: &str) -> Result<i64, StoreError> {
        let sql = here!("SELECT number FROM logged_models WHERE id = ?1 AND deleted = 0");
        self.optional(sql, (id, self.workspace()), |row| row.get(0))?.ok_or_else(|| not_found("logged model", id))
    }

    fn load_logged_model(&self, number: i64) -> Result<LoggedModel, StoreError> {
        self.load_logged_models(&[number])?.pop().ok_or_else(|| not_found("logged model", number.to_string()))
    }

    /// Logged models with all that belongs to them, in the order of `numbers`.
    fn load_logged_models(&self, numbers: &[i64]) -> Result<Vec<LoggedModel>, StoreError> {
        let rows =
            self.all_of(numbers, |among| format!("SELECT {COLUMNS} FROM logged_models WHERE number {among}"), read)?;
        let mut models = ByNumber::new(rows);
        models.add(self.pairs_of(LOGGED_MODEL_TAGS, numbers)?, |model, pair| model.tags.push(pair));
        models.add(self.pairs_of(LOGGED_MODEL_PARAMS, numbers)?, |model, pair| model.params.push(pair));
        models.add(self.model_metrics_of(numbers)?, |model, metric| {
            let of_model = Metric { model_id: Some(model.id.clone()), ..metric.metric };
            model.metrics.push(ModelMetric { metric: of_model, run_id: metric.run_id });
        });
        Ok(models.in_order(numbers))
    }
}

const COLUMNS: &str =
    "number, id, experiment, name, source_run, model_type, status, message, created, updated, created_by, tree";

fn read(row: &Row<'_>) -> Result<(i64, LoggedModel), StoreError> {
    let id: String = row.get(1)?;
    let experiment: i64 = row.get(2)?;
    let model = LoggedModel {
        artifact_uri: format!("mlflow-artifacts:/{experiment}/models/{id}/artifacts"),
        id,
        experiment_id: experiment.to_string(),
        name: row.get(3)?,
        source_run_id: row.get(4)?,
        model_type: row.get(5)?,
        status: row.named(6, status)?,
        status_message: row.get(7)?,
        created: row.timestamp(8)?,
        updated: row.timestamp(9)?,
        created_by: row.get(10)?,
        tree: row.optional_digest(11)?,
        tags: Vec::new(),
        params: Vec::new(),
        metrics: Vec::new(),
    };
    Ok((row.get(0)?, model))
}

fn status(text: &str) -> Option<LoggedModelStatus> {
    STATUSES.iter().find(|(_, name)| *name == text).map(|(status, _)| *status)
}

fn status_text(wanted: LoggedModelStatus) -> &'static str {
    STATUSES.iter().find(|(status, _)| *status == wanted).map_or("PENDING", |(_, name)| name)
}
