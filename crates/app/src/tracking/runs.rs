//! Runs: one execution of training code each.

use sealyard_core::Timestamp;
use sealyard_identity::{Action, ActsOn, Administer, Authorized, Edit, ExperimentId, Manage, Read, ServerWide};
use sealyard_ledger::{Act, Outcome};
use sealyard_store::Transaction;
use sealyard_store::model::{
    Condition, Lifecycle, NewRun, OrderBy, Pair, Run, RunBatch, RunQuery, RunStatus, RunUpdate, ViewType,
};

use super::experiments::experiment_id;
use super::limits;
use super::paging::{Listing, PageToken, Query};
use super::run_names;
use crate::{App, AppError, Caller};

/// The tag in which MLflow keeps a run's name too.
const RUN_NAME_TAG: &str = "mlflow.runName";

/// A run to be made.
#[derive(Debug, Clone, Default)]
pub struct CreateRun {
    /// Its name; one is made up when it is empty.
    pub name: String,
    /// What the client says of itself.
    pub user: String,
    /// When it began; now, if the client does not say.
    pub start: Option<Timestamp>,
    /// Tags.
    pub tags: Vec<Pair>,
}

/// Changes to a run.
#[derive(Debug, Clone, Default)]
pub struct UpdateRun {
    /// Another name.
    pub name: Option<String>,
    /// Another status.
    pub status: Option<RunStatus>,
    /// When it ended.
    pub end: Option<Timestamp>,
}

/// A search for runs.
#[derive(Debug, Clone, Default)]
pub struct SearchRuns {
    /// All must hold.
    pub filter: Vec<Condition>,
    /// First is most significant.
    pub order: Vec<OrderBy>,
    /// Which lifecycle.
    pub view: ViewType,
    /// Page size as asked for.
    pub max_results: Option<i64>,
    /// Where to go on.
    pub from: PageToken,
}

impl App {
    /// Finds a run's experiment and asks the authorizer about it.
    ///
    /// # Errors
    /// [`AppError::Denied`], also for a run that is not there; an administrator gets [`AppError::NotFound`].
    pub async fn authorize_run<A>(
        &self,
        caller: &Caller,
        action: A,
        run_id: &str,
    ) -> Result<Authorized<A, ExperimentId>, AppError>
    where
        A: ActsOn<ExperimentId>,
    {
        if !is_run_id(run_id) {
            return Err(self.deny_unseen(caller, <A as Action>::KIND.to_string(), "run", run_id).await?);
        }
        let known = self.run_places.experiment_of(run_id);
        let found = match known {
            Some(experiment) => Some(experiment),
            None => {
                let id = run_id.to_owned();
                self.store().read(move |tx| Ok::<_, AppError>(tx.experiment_of_run(&id)?)).await?
            }
        };
        match found {
            Some(experiment) => {
                self.run_places.learn(run_id, &experiment);
                self.authorize_below(caller, action, experiment_id(&experiment)?, "run", run_id).await
            }
            None => Err(self.deny_unseen(caller, <A as Action>::KIND.to_string(), "run", run_id).await?),
        }
    }

    /// Starts a run.
    ///
    /// # Errors
    /// [`AppError::Invalid`], [`AppError::NotFound`], [`AppError::Conflict`] in a deleted experiment.
    pub async fn create_run(
        &self,
        caller: &Caller,
        may: &Authorized<Edit, ExperimentId>,
        create: CreateRun,
    ) -> Result<Run, AppError> {
        let CreateRun { name, user, start, mut tags } = create;
        limits::tags(&tags)?;
        let id = self.rng().hex_id();
        let tagged = tags.iter().find(|tag| tag.key == RUN_NAME_TAG).map(|tag| tag.value.clone());
        if let Some(tagged) = &tagged
            && !name.is_empty()
            && *tagged != name
        {
            return Err(AppError::Invalid(format!(
                "Both 'run_name' argument and 'mlflow.runName' tag are specified, but with different values (run_name='{}', \
                 mlflow.runName='{}').",
                name.chars().take(80).collect::<String>(),
                tagged.chars().take(80).collect::<String>()
            )));
        }
        let name = if name.is_empty() {
            tagged.clone().filter(|tagged| !tagged.is_empty()).unwrap_or_else(|| run_names::of_id(&id))
        } else {
            name
        };
        limits::name("run_name", &name)?;
        if user.chars().count() > 256 {
            return Err(AppError::Invalid("'user_id' exceeds the maximum length of 256 characters".to_owned()));
        }
        if tagged.is_none() {
            tags.push(Pair::new(RUN_NAME_TAG, name.clone()));
        }
        let experiment = may.resource().to_string();
        let event =
            self.event(caller, Outcome::Done, Act::RunCreated { id: id.clone(), experiment: experiment.clone() });
        let created_by = may.principal().name.to_string();
        let start = start.unwrap_or_else(|| self.now());
        let new = NewRun { id, experiment_id: experiment, name, user, created_by, start, tags };
        let run = self
            .store()
            .write(move |tx| {
                let run = tx.create_run(&new)?;
                tx.record(&event)?;
                Ok::<_, AppError>(run)
            })
            .await?;
        self.sequencer.notify();
        Ok(run)
    }

    /// The run with all that was logged to it.
    ///
    /// # Errors
    /// [`AppError::Denied`] when it is in another experiment than the proof's.
    pub async fn run(&self, may: &Authorized<Read, ExperimentId>, run_id: &str) -> Result<Run, AppError> {
        let (experiment, id) = (may.resource().clone(), run_id.to_owned());
        self.store()
            .read(move |tx| match tx.run(&id)? {
                Some(run) if run.experiment_id == experiment.as_str() => Ok(run),
                _ => Err(not_in_experiment(&id)),
            })
            .await
    }

    /// Changes name, status or end of a run.
    ///
    /// # Errors
    /// [`AppError::Denied`], [`AppError::Invalid`], [`AppError::Conflict`] for a run in the bin.
    pub async fn update_run(
        &self,
        caller: &Caller,
        may: &Authorized<Edit, ExperimentId>,
        run_id: &str,
        update: UpdateRun,
    ) -> Result<Run, AppError> {
        let UpdateRun { name, status, end } = update;
        let name = name.filter(|name| !name.is_empty());
        if let Some(name) = &name {
            limits::name("run_name", name)?;
        }
        let ended = status.filter(|status| !matches!(status, RunStatus::Running | RunStatus::Scheduled));
        let event = ended.map(|status| {
            let act = Act::RunEnded { id: run_id.to_owned(), status: status_name(status).to_owned() };
            self.event(caller, Outcome::Done, act)
        });
        let (experiment, id) = (may.resource().clone(), run_id.to_owned());
        let run = self
            .store()
            .write(move |tx| {
                of_experiment(tx, &experiment, &id)?;
                let before = tx.run(&id)?.ok_or_else(|| AppError::NotFound { kind: "run", id: id.clone() })?;
                if before.lifecycle == Lifecycle::Deleted {
                    return Err(AppError::Conflict(deleted(&id)));
                }
                if let Some(name) = &name {
                    let tags = vec![Pair::new(RUN_NAME_TAG, name.clone())];
                    tx.log_batch(&id, &RunBatch { tags, ..RunBatch::default() })?;
                }
                let run = tx.update_run(&id, &RunUpdate { name, status, end, lifecycle: None })?;
                if let Some(event) = event {
                    tx.record(&event)?;
                }
                Ok(run)
            })
            .await?;
        self.sequencer.notify();
        Ok(run)
    }

    /// Puts a run into the bin.
    ///
    /// # Errors
    /// [`AppError::Denied`].
    pub async fn delete_run(
        &self,
        caller: &Caller,
        may: &Authorized<Manage, ExperimentId>,
        run_id: &str,
    ) -> Result<(), AppError> {
        let event = self.event(caller, Outcome::Done, Act::RunDeleted { id: run_id.to_owned() });
        let (experiment, id) = (may.resource().clone(), run_id.to_owned());
        self.store()
            .write(move |tx| {
                of_experiment(tx, &experiment, &id)?;
                tx.update_run(&id, &RunUpdate { lifecycle: Some(Lifecycle::Deleted), ..RunUpdate::default() })?;
                Ok::<_, AppError>(tx.record(&event)?)
            })
            .await?;
        self.sequencer.notify();
        Ok(())
    }

    /// Takes a run out of the bin.
    ///
    /// # Errors
    /// [`AppError::Denied`].
    pub async fn restore_run(
        &self,
        caller: &Caller,
        may: &Authorized<Manage, ExperimentId>,
        run_id: &str,
    ) -> Result<(), AppError> {
        let event = self.event(caller, Outcome::Done, Act::RunRestored { id: run_id.to_owned() });
        let (experiment, id) = (may.resource().clone(), run_id.to_owned());
        self.store()
            .write(move |tx| {
                of_experiment(tx, &experiment, &id)?;
                tx.update_run(&id, &RunUpdate { lifecycle: Some(Lifecycle::Active), ..RunUpdate::default() })?;
                Ok::<_, AppError>(tx.record(&event)?)
            })
            .await?;
        self.sequencer.notify();
        Ok(())
    }

    /// Runs of the experiments that the proofs are for.
    ///
    /// # Errors
    /// [`AppError::Invalid`].
    pub async fn search_runs(
        &self,
        may: &[Authorized<Read, ExperimentId>],
        search: SearchRuns,
    ) -> Result<Listing<Run>, AppError> {
        let SearchRuns { filter, order, view, max_results, from } = search;
        let limit = limits::page(max_results, 1000, limits::RUNS_PER_PAGE)?;
        let experiments: Vec<String> = may.iter().map(|may| may.resource().to_string()).collect();
        if experiments.is_empty() {
            return Ok(Listing { items: Vec::new(), next_page_token: None });
        }
        let mark = Query::of(&("runs", &experiments, &filter, &order, view));
        let after = self.page_tokens().open_token(mark, &from)?;
        let query = RunQuery { experiments, filter, order, view, limit, after };
        let page = self.store().read(move |tx| Ok::<_, AppError>(tx.search_runs(&query)?)).await?;
        Ok(self.page_tokens().listing(mark, page))
    }
}

impl App {
    /// How a search for runs is answered and what that costs: for who looks after the server, since what is counted on the way
    /// is of all experiments.
    ///
    /// # Errors
    /// [`AppError::Invalid`].
    pub async fn explain_runs(
        &self,
        _may: &Authorized<Administer, ServerWide>,
        experiments: Vec<String>,
        search: SearchRuns,
    ) -> Result<Vec<String>, AppError> {
        let SearchRuns { filter, order, view, max_results, from: _ } = search;
        let limit = limits::page(max_results, 1000, limits::RUNS_PER_PAGE)?;
        if experiments.len() > 1000 {
            return Err(AppError::Invalid("a search names at most 1000 experiments".to_owned()));
        }
        let query = RunQuery { experiments, filter, order, view, limit, after: None };
        self.store().read(move |tx| Ok(tx.explain_runs(&query)?)).await
    }
}

/// A proof for one experiment is none for a run in another.
pub(crate) fn of_experiment(tx: &mut dyn Transaction, experiment: &ExperimentId, run_id: &str) -> Result<(), AppError> {
    match tx.experiment_of_run(run_id)? {
        Some(found) if found == experiment.as_str() => Ok(()),
        _ => Err(not_in_experiment(run_id)),
    }
}

fn not_in_experiment(run_id: &str) -> AppError {
    AppError::Denied {
        rule: "authorization",
        action: "access".to_owned(),
        resource: format!("run {:?}", run_id.chars().take(80).collect::<String>()),
    }
}

/// Nothing new begins in the bin.
pub(crate) fn active_experiment(tx: &mut dyn Transaction, id: &str) -> Result<(), AppError> {
    match tx.experiment(id)? {
        Some(experiment) if experiment.lifecycle == Lifecycle::Active => Ok(()),
        Some(_) => Err(AppError::Conflict(format!(
            "The experiment {id} must be in the 'active' state. Current state is deleted."
        ))),
        None => Err(AppError::NotFound { kind: "experiment", id: id.to_owned() }),
    }
}

pub(super) fn deleted(run_id: &str) -> String {
    format!("The run {run_id} must be in the 'active' state. Current state is deleted.")
}

pub(super) fn is_run_id(id: &str) -> bool {
    id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

const fn status_name(status: RunStatus) -> &'static str {
    match status {
        RunStatus::Running => "RUNNING",
        RunStatus::Scheduled => "SCHEDULED",
        RunStatus::Finished => "FINISHED",
        RunStatus::Failed => "FAILED",
        RunStatus::Killed => "KILLED",
    }
}
