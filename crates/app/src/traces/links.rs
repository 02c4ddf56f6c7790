use std::collections::BTreeMap;
use std::sync::Arc;

use sealyard_identity::{Authorized, Edit, ExperimentId};
use sealyard_ledger::{Act, Outcome};

use super::{limits, of_experiment};
use crate::tracking::{experiment_id, run_of_experiment};
use crate::{App, AppError, Caller};

/// Traces that are linked together, as in MLflow.
const MAX_LINKS: usize = 100;
/// Prompt versions that are linked together.
const MAX_PROMPTS: usize = 100;

impl App {
    /// Links traces to a run. Each that is there takes EDIT on its experiment; clients also link traces that they have not
    /// sent yet.
    ///
    /// # Errors
    /// [`AppError::Denied`], [`AppError::Invalid`].
    pub async fn link_traces_to_run(
        &self,
        caller: &Caller,
        may: &Authorized<Edit, ExperimentId>,
        run_id: &str,
        trace_ids: Vec<String>,
    ) -> Result<(), AppError> {
        if trace_ids.len() > MAX_LINKS {
            return Err(AppError::Invalid(format!(
                "Cannot link more than {MAX_LINKS} traces to a run in a single request. Provided {} traces.",
                trace_ids.len()
            )));
        }
        let ids = limits::trace_ids(trace_ids, MAX_LINKS)?;
        if ids.is_empty() {
            return Ok(());
        }
        let named = ids.clone();
        let homes: BTreeMap<String, String> = self
            .store()
            .read(move |tx| {
                let mut homes = BTreeMap::new();
                for id in named {
                    if let Some(home) = tx.experiment_of_trace(&id)? {
                        homes.entry(home).or_insert(id);
                    }
                }
                Ok::<_, AppError>(homes)
            })
            .await?;
        let mut proofs: Vec<Authorized<Edit, ExperimentId>> = Vec::with_capacity(homes.len());
        for (home, id) in homes.iter().filter(|(home, _)| home.as_str() != may.resource().as_str()) {
            proofs.push(self.authorize_below(caller, Edit, experiment_id(home)?, "trace", id).await?);
        }
        let homes: Vec<String> =
            proofs.iter().chain(std::iter::once(may)).map(|proof| proof.resource().to_string()).collect();
        let act = Act::TracesLinked { run: run_id.to_owned(), traces: ids.len() as u64 };
        let event = self.event(caller, Outcome::Done, act);
        let (experiment, run) = (may.resource().clone(), run_id.to_owned());
        let homes = Arc::new(homes);
        self.store()
            .write(move |tx| {
                run_of_experiment(tx, &experiment, &run)?;
                for id in &ids {
                    // One that came meanwhile, elsewhere.
                    if let Some(home) = tx.experiment_of_trace(id)?
                        && !homes.contains(&home)
                    {
                        of_experiment(tx, &experiment, id)?;
                    }
                }
                tx.link_traces_to_run(&ids, &run)?;
                Ok::<_, AppError>(tx.record(&event)?)
            })
            .await?;
        self.sequencer.notify();
        Ok(())
    }

    /// Notes the prompt versions that a trace used. Clients do so with every trace, so that it is data of the trace and no
    /// event of its own.
    ///
    /// # Errors
    /// [`AppError::Denied`], [`AppError::Invalid`].
    pub async fn link_prompts_to_trace(
        &self,
        may: &Authorized<Edit, ExperimentId>,
        trace_id: &str,
        prompts: Vec<(String, String)>,
    ) -> Result<(), AppError> {
        if prompts.len() > MAX_PROMPTS {
            return Err(AppError::Invalid(format!("a request links at most {MAX_PROMPTS} prompt versions")));
        }
        for (name, version) in &prompts {
            if !is_prompt_version(name, version) {
                let shown = limits::cut(&format!("{name}/{version}"), 80);
                return Err(AppError::Invalid(format!("{shown:?} is no prompt version")));
            }
        }
        let (experiment, id) = (may.resource().clone(), trace_id.to_owned());
        self.store()
            .write(move |tx| {
                of_experiment(tx, &experiment, &id)?;
                Ok(tx.link_prompts_to_trace(&id, &prompts)?)
            })
            .await
    }
}

/// Whether it can name a version of a prompt.
pub(super) fn is_prompt_version(name: &str, version: &str) -> bool {
    let plain = !name.is_empty() && name.len() <= 255 && !name.contains('/') && !name.chars().any(char::is_control);
    let numbered = !version.is_empty() && version.len() <= 10 && version.bytes().all(|byte| byte.is_ascii_digit());
    plain && numbered
}
