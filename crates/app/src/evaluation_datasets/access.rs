use sealyard_identity::{
    Action, ActionKind, ActsOn, Authorized, Authorizer, Considered, DatasetId, Edit, Effect, ExperimentId, Explanation,
    Manage, Permission, Principal, ProtectedResource, Read, Resource, Scope, WorkspaceName,
};
use sealyard_store::Transaction;
use sealyard_store::model::EvaluationDataset;

use super::{MayCreateDataset, not_found};
use crate::tracking::experiment_id;
use crate::{App, AppError, Caller};

/// Proof that its holder may do `A` to a data set, as long as it belongs to the experiments it belonged to.
#[derive(Debug)]
pub struct DatasetAccess<A> {
    id: String,
    experiments: Vec<String>,
    #[allow(dead_code, reason = "it is what makes this a proof")]
    proof: Proof<A>,
}

/// By what somebody may.
#[derive(Debug)]
#[allow(dead_code, reason = "they are what makes this a proof")]
enum Proof<A> {
    /// By a right on the data set itself.
    Own(Authorized<A, DatasetId>),
    /// For reading by one of its experiments, otherwise by all of them.
    Experiments(Vec<Authorized<A, ExperimentId>>),
    /// Of no experiment: as its maker or an administrator.
    Maker,
}

impl<A> DatasetAccess<A> {
    /// The data set's id.
    pub(super) fn id(&self) -> &str {
        &self.id
    }

    /// Finds the data set, for a transaction; one that belongs to other experiments by now is not what the proof is for.
    pub(super) fn check(&self) -> impl FnOnce(&mut dyn Transaction) -> Result<EvaluationDataset, AppError> + use<A> {
        let (id, experiments) = (self.id.clone(), self.experiments.clone());
        move |tx| match tx.evaluation_dataset(&id)? {
            Some(dataset) if dataset.experiment_ids == experiments => Ok(dataset),
            Some(_) => Err(AppError::Denied {
                rule: "authorization",
                action: "access".to_owned(),
                resource: format!("evaluation dataset {id:?}"),
            }),
            None => Err(not_found(&id)),
        }
    }
}

impl App {
    /// Whether `caller` may read a data set: READ on it or on one of its experiments.
    ///
    /// # Errors
    /// [`AppError::Denied`], also for one that is not there; an administrator gets [`AppError::Missing`].
    pub async fn authorize_dataset_read(&self, caller: &Caller, id: &str) -> Result<DatasetAccess<Read>, AppError> {
        self.authorize_dataset(caller, Read, id, false).await
    }

    /// Whether `caller` may change a data set: EDIT on it or on all of its experiments.
    ///
    /// # Errors
    /// As [`Self::authorize_dataset_read`].
    pub async fn authorize_dataset_edit(&self, caller: &Caller, id: &str) -> Result<DatasetAccess<Edit>, AppError> {
        self.authorize_dataset(caller, Edit, id, true).await
    }

    /// Whether `caller` may delete a data set: MANAGE on it or on all of its experiments.
    ///
    /// # Errors
    /// As [`Self::authorize_dataset_read`].
    pub async fn authorize_dataset_manage(&self, caller: &Caller, id: &str) -> Result<DatasetAccess<Manage>, AppError> {
        self.authorize_dataset(caller, Manage, id, true).await
    }

    /// Whether `caller` may make a data set in these experiments.
    ///
    /// # Errors
    /// [`AppError::Denied`].
    pub async fn authorize_dataset_creation(
        &self,
        caller: &Caller,
        experiments: &[String],
    ) -> Result<MayCreateDataset, AppError> {
        if experiments.is_empty() {
            return Ok(MayCreateDataset::Alone(self.authorize_experiment_creation(caller).await?));
        }
        super::bounded(experiments.len())?;
        let mut proofs: Vec<Authorized<Edit, ExperimentId>> = Vec::with_capacity(experiments.len());
        for id in experiments {
            proofs.push(self.authorize(caller, Edit, experiment_id(id)?).await?);
        }
        Ok(MayCreateDataset::Experiments(proofs))
    }

    async fn authorize_dataset<A>(
        &self,
        caller: &Caller,
        action: A,
        id: &str,
        all: bool,
    ) -> Result<DatasetAccess<A>, AppError>
    where
        A: ActsOn<ExperimentId> + ActsOn<DatasetId>,
    {
        let plain = id.len() == 34 && id.starts_with("d-") && id.bytes().skip(2).all(|byte| byte.is_ascii_hexdigit());
        let found = if plain {
            let id = id.to_owned();
            self.store().read(move |tx| Ok::<_, AppError>(tx.evaluation_dataset(&id)?)).await?
        } else {
            None
        };
        let Some(dataset) = found else { return Err(self.dataset_unseen::<A>(caller, id).await?) };
        let by = |proof| DatasetAccess { id: dataset.id.clone(), experiments: dataset.experiment_ids.clone(), proof };
        let itself = dataset_id(&dataset.id)?;
        match self.of_itself::<A>(caller, &itself, &dataset.experiment_ids)? {
            Effect::Allows => return Ok(by(Proof::Own(self.authorize(caller, action, itself).await?))),
            Effect::Denies => return Err(self.dataset_unseen::<A>(caller, id).await?),
            Effect::Insufficient => {}
        }
        let experiments: Vec<ExperimentId> =
            dataset.experiment_ids.iter().map(|id| experiment_id(id)).collect::<Result<_, _>>()?;
        if experiments.is_empty() {
            if self.has_alone(caller, &dataset) {
                return Ok(by(Proof::Maker));
            }
            return Err(self.dataset_unseen::<A>(caller, id).await?);
        }
        if !all {
            let any = experiments.into_iter().find(|experiment| self.may(caller, action, experiment.clone()));
            let Some(any) = any else { return Err(self.dataset_unseen::<A>(caller, id).await?) };
            let proof = self.authorize(caller, action, any).await?;
            return Ok(by(Proof::Experiments(vec![proof])));
        }
        let mut proofs = Vec::with_capacity(experiments.len());
        for experiment in experiments {
            let proof = self.authorize_below(caller, action, experiment, "evaluation dataset", id).await;
            proofs.push(proof.map_err(|error| match error {
                AppError::NotFound { .. } => not_found(id),
                other => other,
            })?);
        }
        Ok(by(Proof::Experiments(proofs)))
    }

    /// What is said of the data set itself. A right on it counts unless something forbids it, or one of its experiments: a
    /// denial there takes away what is inside. Where nothing counts, its experiments' rights do.
    pub(super) fn of_itself<A>(
        &self,
        caller: &Caller,
        id: &DatasetId,
        experiments: &[String],
    ) -> Result<Effect, AppError>
    where
        A: ActsOn<DatasetId>,
    {
        let Some(principal) = caller.principal() else { return Err(AppError::Unauthenticated) };
        if principal.is_expired(self.now()) {
            return Err(AppError::Unauthenticated);
        }
        let rights = self.rights();
        let own = rights.explain(principal, A::KIND, id.resource());
        let denied = |explained: &sealyard_identity::Explanation| {
            explained.considered.iter().any(|rule| rule.effect == Effect::Denies && rule.grant.is_some())
        };
        if denied(&own) {
            return Ok(Effect::Denies);
        }
        // An administrator has everything by its experiments too, and as the maker of those that have none.
        let given = own.considered.iter().any(|rule| rule.effect == Effect::Allows && rule.grant.is_some());
        if !own.allowed || !(given || principal.admin) {
            return Ok(Effect::Insufficient);
        }
        for experiment in experiments {
            if denied(&rights.explain(principal, A::KIND, experiment_id(experiment)?.resource())) {
                return Ok(Effect::Insufficient);
            }
        }
        Ok(Effect::Allows)
    }

    /// What someone is told of a data set that is not there or that they may not see.
    async fn dataset_unseen<A: Action>(&self, caller: &Caller, id: &str) -> Result<AppError, AppError> {
        Ok(match self.deny_unseen(caller, A::KIND.to_string(), "evaluation dataset", id).await? {
            AppError::NotFound { .. } => not_found(id),
            other => other,
        })
    }

    /// Whether a data set of no experiment is the caller's: its maker's or an administrator's, with an unlimited credential.
    pub(super) fn has_alone(&self, caller: &Caller, dataset: &EvaluationDataset) -> bool {
        caller.principal().is_some_and(|principal| {
            let unlimited = principal.scopes().is_none_or(|scopes| scopes.contains(&Scope::All));
            unlimited
                && !principal.is_expired(self.now())
                && (principal.admin || principal.id.to_string() == dataset.owner)
        })
    }
}

/// Adds to what was said of a data set itself what its experiments say of it, as [`App::authorize_dataset_read`] and the others
/// decide.
pub(crate) fn explain_dataset(
    authorizer: &Authorizer,
    workspace: &WorkspaceName,
    who: &Principal,
    dataset: &EvaluationDataset,
    mut explained: Explanation,
) -> Result<Explanation, AppError> {
    let denied = |one: &Considered| one.effect == Effect::Denies && one.grant.is_some();
    if explained.considered.iter().any(denied) {
        return Ok(explained);
    }
    let action = explained.action;
    let mut of_experiments = Vec::with_capacity(dataset.experiment_ids.len());
    for id in &dataset.experiment_ids {
        of_experiments.push(authorizer.explain(workspace, who, action, Resource::Experiment(experiment_id(id)?)));
    }
    let barred = of_experiments.iter().any(|one| one.considered.iter().any(denied));
    let any = action == ActionKind::Level(Permission::Read);
    let inherited = if of_experiments.is_empty() {
        let unlimited = who.scopes().is_none_or(|scopes| scopes.contains(&Scope::All));
        let maker = unlimited && (who.admin || who.id.to_string() == dataset.owner);
        if maker && !explained.allowed {
            let rule = "having made it, or being an administrator".to_owned();
            explained.considered.push(Considered { effect: Effect::Allows, rule, grant: None });
        }
        maker
    } else if any {
        of_experiments.iter().any(|one| one.allowed)
    } else {
        of_experiments.iter().all(|one| one.allowed)
    };
    let itself = explained.allowed && !barred;
    if !itself {
        // A right on the data set that a denial on an experiment takes away is shown beside that.
        explained.considered.extend(of_experiments.into_iter().flat_map(|one| one.considered));
    }
    explained.allowed = itself || inherited;
    Ok(explained)
}

/// The id, for the authorizer.
pub(super) fn dataset_id(id: &str) -> Result<DatasetId, AppError> {
    DatasetId::new(id).map_err(|error| AppError::internal("a data set has an odd id", error))
}
