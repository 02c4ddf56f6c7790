use sealyard_core::Timestamp;
use sealyard_ledger::{Act, Event, Outcome};
use sealyard_store::Transaction;
use sealyard_store::import::{SourceLoggedModel, SourceRun};
use sealyard_store::model::{NewLoggedModel, NewRun, RunBatch, RunUpdate};

use super::{Import, PAGE};
use crate::AppError;

/// The tag that is the run's name too; the name's own column counts.
pub(super) const NAME_TAG: &str = "mlflow.runName";

impl Import {
    pub(super) fn event(&self, act: Act) -> Event {
        self.app.event(&self.caller, Outcome::Done, act)
    }

    /// All of them, active: what lies in the bin takes nothing in.
    pub(super) fn experiments(&mut self) -> Result<(), AppError> {
        self.say("experiments");
        let experiments = self.source.experiments()?;
        for some in experiments.chunks(PAGE as usize) {
            let events: Vec<Event> = some
                .iter()
                .map(|one| self.event(Act::ExperimentCreated { id: one.id.to_string(), name: one.name.clone() }))
                .collect();
            let some = some.to_vec();
            // A second time changes nothing but the ledger, so the page is not noted.
            let place = self.place.clone();
            self.write(place, move |tx| {
                for (experiment, event) in some.iter().zip(&events) {
                    tx.import_experiment(experiment)?;
                    tx.record(event)?;
                }
                Ok(())
            })?;
        }
        self.next_phase()
    }

    pub(super) fn runs(&mut self) -> Result<(), AppError> {
        let mut count = 0;
        loop {
            if self.stopped() {
                return Ok(());
            }
            let runs = self.source.runs(&self.place.after, PAGE)?;
            let Some(last) = runs.last() else { return self.next_phase() };
            let place = self.place.at(last.id.clone());
            let events: Vec<Event> = runs
                .iter()
                .map(|run| self.event(Act::RunCreated { id: run.id.clone(), experiment: run.experiment.to_string() }))
                .collect();
            count += runs.len();
            self.write(place, move |tx| {
                for (run, event) in runs.iter().zip(&events) {
                    import_run(tx, run)?;
                    tx.record(event)?;
                }
                Ok(())
            })?;
            self.say(&format!("runs: {count}"));
        }
    }

    pub(super) fn logged_models(&mut self) -> Result<(), AppError> {
        let mut count = 0;
        loop {
            if self.stopped() {
                return Ok(());
            }
            let models = self.source.logged_models(&self.place.after, PAGE)?;
            let Some(last) = models.last() else { return self.next_phase() };
            let place = self.place.at(last.id.clone());
            let events: Vec<Event> = models
                .iter()
                .map(|model| {
                    let experiment = model.experiment.to_string();
                    self.event(Act::LoggedModelCreated { model_id: model.id.clone(), experiment })
                })
                .collect();
            count += models.len();
            self.write(place, move |tx| {
                for (model, event) in models.iter().zip(&events) {
                    import_logged_model(tx, model)?;
                    tx.record(event)?;
                }
                Ok(())
            })?;
            self.say(&format!("logged models: {count}"));
        }
    }
}

/// All of a run but its metrics. It stays active until everything is in.
fn import_run(tx: &mut dyn Transaction, run: &SourceRun) -> Result<(), AppError> {
    tx.create_run(&NewRun {
        id: run.id.clone(),
        experiment_id: run.experiment.to_string(),
        name: run.name.clone(),
        user: run.user.clone(),
        created_by: run.user.clone(),
        start: run.start,
        tags: Vec::new(),
    })?;
    let tags = run.tags.iter().filter(|tag| tag.key != NAME_TAG || run.name.is_empty()).cloned().collect();
    tx.log_batch(&run.id, &RunBatch { metrics: Vec::new(), params: run.params.clone(), tags })?;
    if !run.inputs.is_empty() || !run.model_inputs.is_empty() {
        tx.log_inputs(&run.id, &run.inputs, &run.model_inputs)?;
    }
    if !run.outputs.is_empty() {
        tx.log_outputs(&run.id, &run.outputs)?;
    }
    let end: Option<Timestamp> = run.end;
    tx.update_run(&run.id, &RunUpdate { status: Some(run.status), end, ..RunUpdate::default() })?;
    Ok(())
}

fn import_logged_model(tx: &mut dyn Transaction, model: &SourceLoggedModel) -> Result<(), AppError> {
    tx.create_logged_model(&NewLoggedModel {
        id: model.id.clone(),
        experiment_id: model.experiment.to_string(),
        name: model.name.clone(),
        source_run_id: model.source_run.clone(),
        model_type: model.model_type.clone(),
        created: model.created,
        created_by: "system".to_owned(),
        tags: model.tags.clone(),
        params: model.params.clone(),
    })?;
    Ok(())
}
