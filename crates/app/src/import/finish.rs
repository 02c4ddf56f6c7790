use sealyard_store::model::{Lifecycle, RunUpdate};

use super::{Import, PAGE};
use crate::AppError;

impl Import {
    /// Last of all, what was in the bin goes there: before, it could not take anything in.
    pub(super) fn lifecycles(&mut self) -> Result<(), AppError> {
        self.say("what was deleted");
        loop {
            let runs = self.source.runs(&self.place.after, PAGE)?;
            let Some(last) = runs.last().map(|run| run.id.clone()) else { break };
            let deleted: Vec<String> =
                runs.into_iter().filter(|run| run.lifecycle == Lifecycle::Deleted).map(|run| run.id).collect();
            let place = self.place.at(last);
            self.write(place, move |tx| {
                for id in deleted {
                    tx.update_run(&id, &RunUpdate { lifecycle: Some(Lifecycle::Deleted), ..RunUpdate::default() })?;
                }
                Ok(())
            })?;
        }
        let mut models = Vec::new();
        let mut after = String::new();
        loop {
            let some = self.source.logged_models(&after, PAGE)?;
            let Some(last) = some.last() else { break };
            after.clone_from(&last.id);
            models.extend(
                some.into_iter()
                    .filter(|model| model.lifecycle == Lifecycle::Deleted)
                    .map(|model| (model.id, model.updated)),
            );
        }
        let experiments = self.source.experiments()?;
        let place = self.place.next_phase();
        self.write(place, move |tx| {
            for (id, updated) in models {
                if tx.logged_model(&id)?.is_some() {
                    tx.delete_logged_model(&id, updated)?;
                }
            }
            for experiment in experiments.iter().filter(|experiment| experiment.lifecycle == Lifecycle::Deleted) {
                tx.set_experiment_lifecycle(&experiment.id.to_string(), Lifecycle::Deleted, experiment.updated)?;
            }
            Ok(())
        })
    }
}
