//! What is logged to a run: metrics, parameters, tags, inputs and outputs.

use sealyard_identity::{Authorized, Edit, ExperimentId, Read};
use sealyard_store::Transaction;
use sealyard_store::model::{DatasetInput, Metric, ModelOutput, RunBatch};

use super::limits;
use super::paging::{Listing, PageToken, Query};
use super::runs::of_experiment;
use crate::{App, AppError};

impl App {
    /// Writes metrics, parameters and tags, all or nothing.
    ///
    /// # Errors
    /// [`AppError::Denied`], [`AppError::Invalid`]; [`AppError::Conflict`] for a parameter's other value.
    pub async fn log_batch(
        &self,
        may: &Authorized<Edit, ExperimentId>,
        run_id: &str,
        batch: RunBatch,
    ) -> Result<(), AppError> {
        limits::batch(&batch)?;
        let (experiment, id) = (may.resource().clone(), run_id.to_owned());
        self.store()
            .write(move |tx| {
                of_experiment(tx, &experiment, &id)?;
                let models = batch.metrics.iter().filter_map(|metric| metric.model_id.as_deref());
                models_of_experiment(tx, &experiment, models)?;
                Ok(tx.log_batch(&id, &batch)?)
            })
            .await
    }

    /// Removes a tag.
    ///
    /// # Errors
    /// [`AppError::Denied`], [`AppError::NotFound`].
    pub async fn delete_run_tag(
        &self,
        may: &Authorized<Edit, ExperimentId>,
        run_id: &str,
        key: &str,
    ) -> Result<(), AppError> {
        let (experiment, id, key) = (may.resource().clone(), run_id.to_owned(), key.to_owned());
        self.store()
            .write(move |tx| {
                of_experiment(tx, &experiment, &id)?;
                Ok(tx.delete_run_tag(&id, &key)?)
            })
            .await
    }

    /// Notes the data sets and models that a run used.
    ///
    /// # Errors
    /// [`AppError::Denied`], also for a model in another experiment; [`AppError::Invalid`].
    pub async fn log_inputs(
        &self,
        may: &Authorized<Edit, ExperimentId>,
        run_id: &str,
        datasets: Vec<DatasetInput>,
        models: Vec<String>,
    ) -> Result<(), AppError> {
        limits::datasets(&datasets)?;
        bounded(models.len())?;
        let (experiment, id) = (may.resource().clone(), run_id.to_owned());
        self.store()
            .write(move |tx| {
                of_experiment(tx, &experiment, &id)?;
                models_of_experiment(tx, &experiment, models.iter().map(String::as_str))?;
                Ok(tx.log_inputs(&id, &datasets, &models)?)
            })
            .await
    }

    /// Notes the logged models that a run made.
    ///
    /// # Errors
    /// [`AppError::Denied`], also for a model in another experiment.
    pub async fn log_outputs(
        &self,
        may: &Authorized<Edit, ExperimentId>,
        run_id: &str,
        models: Vec<ModelOutput>,
    ) -> Result<(), AppError> {
        bounded(models.len())?;
        let (experiment, id) = (may.resource().clone(), run_id.to_owned());
        self.store()
            .write(move |tx| {
                of_experiment(tx, &experiment, &id)?;
                models_of_experiment(tx, &experiment, models.iter().map(|model| model.model_id.as_str()))?;
                Ok(tx.log_outputs(&id, &models)?)
            })
            .await
    }

    /// Every value of one metric, by step and time.
    ///
    /// # Errors
    /// [`AppError::Denied`], [`AppError::Invalid`].
    pub async fn metric_history(
        &self,
        may: &Authorized<Read, ExperimentId>,
        run_id: &str,
        key: &str,
        max_results: Option<i64>,
        from: PageToken,
    ) -> Result<Listing<Metric>, AppError> {
        let limit = limits::page(max_results, limits::HISTORY_PER_PAGE, limits::HISTORY_PER_PAGE)?;
        let mark = Query::of(&("metric history", run_id, key));
        let after = self.page_tokens().open_token(mark, &from)?;
        let (experiment, id, key) = (may.resource().clone(), run_id.to_owned(), key.to_owned());
        let page = self
            .store()
            .read(move |tx| {
                of_experiment(tx, &experiment, &id)?;
                Ok::<_, AppError>(tx.metric_history(&id, &key, limit, after.as_ref())?)
            })
            .await?;
        Ok(self.page_tokens().listing(mark, page))
    }
}

fn bounded(models: usize) -> Result<(), AppError> {
    if models > 1000 {
        return Err(AppError::Invalid("a request can name at most 1000 models".to_owned()));
    }
    Ok(())
}

/// A run can't be tied to models that its writer has no proof for.
fn models_of_experiment<'a>(
    tx: &mut dyn Transaction,
    experiment: &ExperimentId,
    models: impl Iterator<Item = &'a str>,
) -> Result<(), AppError> {
    let mut last = "";
    for id in models.filter(|id| !id.is_empty()) {
        if id == last {
            continue;
        }
        last = id;
        let found = tx.logged_model(id)?.is_some_and(|model| model.experiment_id == experiment.as_str());
        if !found {
            return Err(AppError::Denied {
                rule: "authorization",
                action: "access".to_owned(),
                resource: format!("logged model {:?}", id.chars().take(80).collect::<String>()),
            });
        }
    }
    Ok(())
}
