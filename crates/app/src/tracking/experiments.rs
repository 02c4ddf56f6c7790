//! Experiments: what runs are grouped and protected by.

use sealyard_core::Timestamp;
use sealyard_identity::{
    Action, ActsOn, Authorized, Edit, ExperimentId, Grant, Grantee, Manage, Permission, ProtectedResource, Read,
    ResourcePattern, Right, ServerWide,
};
use sealyard_ledger::{Act, Outcome};
use sealyard_store::model::{
    Condition, Experiment, ExperimentQuery, Lifecycle, NewExperiment, OrderBy, Pair, ViewType,
};
use sealyard_store::{Transaction, model::RunQuery};

use super::limits;
use super::paging::{Listing, PageToken, Query, visible_page};
use crate::{App, AppError, Caller};

/// The id under which patterns such as `experiment:*` are asked about an experiment that has none yet. Real ids are
/// decimal numbers, so it is never one.
const FUTURE_EXPERIMENT: &str = "new";

/// Proof that its holder may create an experiment: EDIT on the server, or on every experiment there may be.
#[derive(Debug)]
pub struct MayCreateExperiment(Proof);

#[derive(Debug)]
enum Proof {
    Server(Authorized<Edit, ServerWide>),
    Pattern(Authorized<Edit, ExperimentId>),
}

impl MayCreateExperiment {
    fn principal(&self) -> &sealyard_identity::Principal {
        match &self.0 {
            Proof::Server(proof) => proof.principal(),
            Proof::Pattern(proof) => proof.principal(),
        }
    }
}

/// A search for experiments.
#[derive(Debug, Clone, Default)]
pub struct SearchExperiments {
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
    /// Whether `caller` may create experiments.
    ///
    /// # Errors
    /// [`AppError::Denied`].
    pub async fn authorize_experiment_creation(&self, caller: &Caller) -> Result<MayCreateExperiment, AppError> {
        if let Ok(future) = ExperimentId::new(FUTURE_EXPERIMENT)
            && self.may(caller, Edit, future.clone())
        {
            return Ok(MayCreateExperiment(Proof::Pattern(self.authorize(caller, Edit, future).await?)));
        }
        Ok(MayCreateExperiment(Proof::Server(self.authorize(caller, Edit, ServerWide).await?)))
    }

    /// Finds the experiment called `name` and asks the authorizer about it. Who may create experiments learns that there
    /// is none; others can't tell that from one they may not see.
    ///
    /// # Errors
    /// [`AppError::Denied`], [`AppError::NotFound`].
    pub async fn authorize_experiment_named<A>(
        &self,
        caller: &Caller,
        action: A,
        name: &str,
    ) -> Result<Authorized<A, ExperimentId>, AppError>
    where
        A: ActsOn<ExperimentId>,
    {
        let wanted = name.to_owned();
        let found = self.store().read(move |tx| Ok::<_, AppError>(tx.experiment_by_name(&wanted)?)).await?;
        if let Some(experiment) = found {
            // By its name, not by the number that the name would tell.
            return self.authorize_below(caller, action, experiment_id(&experiment.id)?, "experiment", name).await;
        }
        match self.authorize_experiment_creation(caller).await {
            Ok(_) => Err(AppError::NotFound { kind: "experiment", id: name.chars().take(200).collect() }),
            Err(AppError::Denied { .. }) => {
                Err(self.not_visible(caller, <A as Action>::KIND.to_string(), "experiment", name))
            }
            Err(error) => Err(error),
        }
    }

    /// Creates an experiment; its creator gets MANAGE on it.
    ///
    /// # Errors
    /// [`AppError::AlreadyExists`], [`AppError::Invalid`].
    pub async fn create_experiment(
        &self,
        caller: &Caller,
        may: &MayCreateExperiment,
        name: &str,
        tags: Vec<Pair>,
    ) -> Result<Experiment, AppError> {
        limits::name("name", name)?;
        limits::tags(&tags)?;
        let new = NewExperiment { name: name.to_owned(), tags, created: self.now() };
        let principal = may.principal().clone();
        let workspace = self.workspace().clone();
        let event =
            self.event(caller, Outcome::Done, Act::ExperimentCreated { id: String::new(), name: name.to_owned() });
        let created = self
            .change_grants(move |tx| {
                let experiment = tx.create_experiment(&new)?;
                let mut event = event;
                event.act = Act::ExperimentCreated { id: experiment.id.clone(), name: experiment.name.clone() };
                tx.record(&event)?;
                let pattern = ResourcePattern::exact(&workspace, &experiment_id(&experiment.id)?.resource());
                let grant = Grant {
                    grantee: Grantee::Principal(principal.id.clone()),
                    pattern,
                    right: Right::Level(Permission::Manage),
                };
                tx.set_grant(&grant)?;
                event.act = Act::GrantSet {
                    principal: principal.name.to_string(),
                    resource: grant.pattern.to_string(),
                    permission: grant.right.to_string(),
                };
                tx.record(&event)?;
                Ok::<_, AppError>(experiment)
            })
            .await?;
        Ok(created)
    }

    /// The experiment.
    ///
    /// # Errors
    /// [`AppError::NotFound`] when a grant outlived it or came before it.
    pub async fn experiment(&self, may: &Authorized<Read, ExperimentId>) -> Result<Experiment, AppError> {
        let id = may.resource().to_string();
        let found = self.store().read({
            let id = id.clone();
            move |tx| Ok::<_, AppError>(tx.experiment(&id)?)
        });
        found.await?.ok_or(AppError::NotFound { kind: "experiment", id })
    }

    /// Gives it another name.
    ///
    /// # Errors
    /// [`AppError::AlreadyExists`], [`AppError::Invalid`], [`AppError::NotFound`].
    pub async fn rename_experiment(
        &self,
        caller: &Caller,
        may: &Authorized<Edit, ExperimentId>,
        name: &str,
    ) -> Result<(), AppError> {
        limits::name("new_name", name)?;
        let (id, name, now) = (may.resource().to_string(), name.to_owned(), self.now());
        let act = Act::ExperimentRenamed { id: id.clone(), name: name.clone() };
        let event = self.event(caller, Outcome::Done, act);
        self.store()
            .write(move |tx| {
                tx.rename_experiment(&id, &name, now)?;
                Ok::<_, AppError>(tx.record(&event)?)
            })
            .await?;
        self.sequencer.notify();
        Ok(())
    }

    /// Sets a tag.
    ///
    /// # Errors
    /// [`AppError::Invalid`], [`AppError::NotFound`].
    pub async fn set_experiment_tag(&self, may: &Authorized<Edit, ExperimentId>, tag: Pair) -> Result<(), AppError> {
        limits::tags(std::slice::from_ref(&tag))?;
        let id = may.resource().to_string();
        self.store().write(move |tx| Ok(tx.set_experiment_tag(&id, &tag.key, &tag.value)?)).await
    }

    /// Removes a tag.
    ///
    /// # Errors
    /// [`AppError::NotFound`].
    pub async fn delete_experiment_tag(&self, may: &Authorized<Edit, ExperimentId>, key: &str) -> Result<(), AppError> {
        let (id, key) = (may.resource().to_string(), key.to_owned());
        self.store().write(move |tx| Ok(tx.delete_experiment_tag(&id, &key)?)).await
    }

    /// Puts the experiment and its runs into the bin.
    ///
    /// # Errors
    /// [`AppError::NotFound`].
    pub async fn delete_experiment(
        &self,
        caller: &Caller,
        may: &Authorized<Manage, ExperimentId>,
    ) -> Result<(), AppError> {
        let (id, now) = (may.resource().to_string(), self.now());
        let event = self.event(caller, Outcome::Done, Act::ExperimentDeleted { id: id.clone() });
        self.store()
            .write(move |tx| {
                tx.set_experiment_lifecycle(&id, Lifecycle::Deleted, now)?;
                move_runs(tx, &id, ViewType::ActiveOnly, Lifecycle::Deleted)?;
                Ok::<_, AppError>(tx.record(&event)?)
            })
            .await?;
        self.sequencer.notify();
        Ok(())
    }

    /// Takes the experiment and its runs out of the bin.
    ///
    /// # Errors
    /// [`AppError::NotFound`].
    pub async fn restore_experiment(
        &self,
        caller: &Caller,
        may: &Authorized<Manage, ExperimentId>,
    ) -> Result<(), AppError> {
        let (id, now): (String, Timestamp) = (may.resource().to_string(), self.now());
        let event = self.event(caller, Outcome::Done, Act::ExperimentRestored { id: id.clone() });
        self.store()
            .write(move |tx| {
                tx.set_experiment_lifecycle(&id, Lifecycle::Active, now)?;
                move_runs(tx, &id, ViewType::DeletedOnly, Lifecycle::Active)?;
                Ok::<_, AppError>(tx.record(&event)?)
            })
            .await?;
        self.sequencer.notify();
        Ok(())
    }

    /// Experiments that the caller may read.
    ///
    /// # Errors
    /// [`AppError::Unauthenticated`], [`AppError::Invalid`].
    pub async fn search_experiments(
        &self,
        caller: &Caller,
        search: SearchExperiments,
    ) -> Result<Listing<Experiment>, AppError> {
        let principal = caller.principal().cloned().ok_or(AppError::Unauthenticated)?;
        let SearchExperiments { filter, order, view, max_results, from } = search;
        let limit = limits::page(max_results, 1000, limits::EXPERIMENTS_PER_PAGE)?;
        let rights = self.rights();
        let mark = Query::of(&("experiments", &filter, &order, view));
        let after = self.page_tokens().open_token(mark, &from)?;
        let page = self
            .store()
            .read(move |tx| {
                let fetch = |limit, after| {
                    let (filter, order) = (filter.clone(), order.clone());
                    let query = ExperimentQuery { filter, order, view, visible: None, limit, after };
                    Ok(tx.search_experiments(&query)?)
                };
                visible_page(limit, after, fetch, |experiment| {
                    experiment_id(&experiment.id).is_ok_and(|id| rights.may(&principal, Read, id))
                })
            })
            .await?;
        Ok(self.page_tokens().listing(mark, page))
    }
}

/// Moves all runs of an experiment that `view` shows.
fn move_runs(tx: &mut dyn Transaction, id: &str, view: ViewType, to: Lifecycle) -> Result<(), AppError> {
    let query = RunQuery { experiments: vec![id.to_owned()], view, limit: 1000, ..RunQuery::default() };
    let update = sealyard_store::model::RunUpdate { lifecycle: Some(to), ..Default::default() };
    // Each round takes its runs out of the view, so that the next one starts at the beginning again.
    loop {
        let page = tx.search_runs(&query)?;
        for run in &page.items {
            tx.update_run(&run.id, &update)?;
        }
        if page.next.is_none() || page.items.is_empty() {
            return Ok(());
        }
    }
}

/// The id as a resource, if it is written as the catalog writes it: `01`, ` 1` and `+1` are not experiment 1.
pub(crate) fn experiment_id(id: &str) -> Result<ExperimentId, AppError> {
    let canonical =
        !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit()) && (id == "0" || !id.starts_with('0'));
    if !canonical {
        return Err(AppError::Invalid(format!("Invalid experiment ID: {:?}", id.chars().take(80).collect::<String>())));
    }
    ExperimentId::new(id).map_err(|error| AppError::Invalid(error.to_string()))
}

impl App {
    /// Asks the authorizer about the experiment that a client named by `id`.
    ///
    /// # Errors
    /// [`AppError::Denied`]; [`AppError::Invalid`] for an id in any but the one spelling.
    pub async fn authorize_experiment<A>(
        &self,
        caller: &Caller,
        action: A,
        id: &str,
    ) -> Result<Authorized<A, ExperimentId>, AppError>
    where
        A: ActsOn<ExperimentId> + Action,
    {
        self.authorize(caller, action, experiment_id(id)?).await
    }

    /// Those of the experiments that the caller may read, for a search among them: it finds nothing in the others. Who may
    /// read none of them is refused.
    ///
    /// # Errors
    /// [`AppError::Denied`]; [`AppError::Invalid`] for an id in any but the one spelling.
    pub async fn authorize_search(
        &self,
        caller: &Caller,
        ids: &[String],
    ) -> Result<Vec<Authorized<Read, ExperimentId>>, AppError> {
        let (mut readable, mut other) = (Vec::with_capacity(ids.len()), None);
        for id in ids {
            let id = experiment_id(id)?;
            if self.may(caller, Read, id.clone()) {
                readable.push(self.authorize(caller, Read, id).await?);
            } else {
                other = Some(id);
            }
        }
        match other {
            Some(id) if readable.is_empty() => Ok(vec![self.authorize(caller, Read, id).await?]),
            _ => Ok(readable),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_experiment_has_one_spelling() {
        for id in ["", "01", " 1", "1 ", "+1", "-1", "1.0", "0x1", "00", "١", "new", "1/2", "../1"] {
            assert!(experiment_id(id).is_err(), "{id:?}");
        }
        for id in ["0", "1", "10", "4711"] {
            assert_eq!(experiment_id(id).unwrap().as_str(), id);
        }
    }

    #[test]
    fn the_future_experiment_is_never_a_real_one() {
        assert!(experiment_id(FUTURE_EXPERIMENT).is_err());
    }
}
