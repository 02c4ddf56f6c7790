use sealyard_identity::{Action, ActsOn, Authorized, Edit, ExperimentId, Manage, Read, Scope};
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
    /// For reading one of the experiments', otherwise all of them; none for a data set that is its maker's.
    #[allow(dead_code, reason = "they are what makes this a proof")]
    proofs: Vec<Authorized<A, ExperimentId>>,
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
    /// Whether `caller` may read a data set: READ on one of its experiments.
    ///
    /// # Errors
    /// [`AppError::Denied`], also for one that is not there; an administrator gets [`AppError::Missing`].
    pub async fn authorize_dataset_read(&self, caller: &Caller, id: &str) -> Result<DatasetAccess<Read>, AppError> {
        self.authorize_dataset(caller, Read, id, false).await
    }

    /// Whether `caller` may change a data set: EDIT on all of its experiments.
    ///
    /// # Errors
    /// As [`Self::authorize_dataset_read`].
    pub async fn authorize_dataset_edit(&self, caller: &Caller, id: &str) -> Result<DatasetAccess<Edit>, AppError> {
        self.authorize_dataset(caller, Edit, id, true).await
    }

    /// Whether `caller` may delete a data set: MANAGE on all of its experiments.
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
        A: ActsOn<ExperimentId>,
    {
        let plain = id.len() == 34 && id.starts_with("d-") && id.bytes().skip(2).all(|byte| byte.is_ascii_hexdigit());
        let found = if plain {
            let id = id.to_owned();
            self.store().read(move |tx| Ok::<_, AppError>(tx.evaluation_dataset(&id)?)).await?
        } else {
            None
        };
        let Some(dataset) = found else { return Err(self.dataset_unseen::<A>(caller, id).await?) };
        let mut access = DatasetAccess {
            id: dataset.id.clone(),
            experiments: dataset.experiment_ids.clone(),
            proofs: Vec::with_capacity(dataset.experiment_ids.len()),
        };
        let experiments: Vec<ExperimentId> =
            dataset.experiment_ids.iter().map(|id| experiment_id(id)).collect::<Result<_, _>>()?;
        if experiments.is_empty() {
            if self.has_alone(caller, &dataset) {
                return Ok(access);
            }
            return Err(self.dataset_unseen::<A>(caller, id).await?);
        }
        if !all {
            let any = experiments.into_iter().find(|experiment| self.may(caller, action, experiment.clone()));
            let Some(any) = any else { return Err(self.dataset_unseen::<A>(caller, id).await?) };
            access.proofs.push(self.authorize(caller, action, any).await?);
            return Ok(access);
        }
        for experiment in experiments {
            let proof = self.authorize_below(caller, action, experiment, "evaluation dataset", id).await;
            access.proofs.push(proof.map_err(|error| match error {
                AppError::NotFound { .. } => not_found(id),
                other => other,
            })?);
        }
        Ok(access)
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
