//! Evaluation data sets: records that applications are evaluated with.
//!
//! A data set belongs to experiments, and takes their rights: READ on one of them to read it, EDIT on all of them to change
//! it, MANAGE on all of them to delete it. One that belongs to none is its maker's and the administrators'. Beside that there
//! are rights on data sets themselves.

mod access;
mod records;
mod search;

pub use access::DatasetAccess;
pub(crate) use access::explain_dataset;
#[cfg(feature = "fuzzing")]
pub(crate) use records::fuzz_token;
pub use records::{GivenRecord, UpsertedRecords};
pub(crate) use records::{MAX_BYTES, MAX_IN_SET};
pub use search::SearchEvaluationDatasets;

use sealyard_core::Digest;
use sealyard_identity::{Authorized, Edit, ExperimentId, Manage, Read};
use sealyard_ledger::{Act, Outcome};
use sealyard_store::model::{EvaluationDataset, EvaluationDatasetUpdate, Pair};

use crate::{App, AppError, Caller, MayCreateExperiment};

/// Experiments of a data set.
const MAX_EXPERIMENTS: usize = 100;
/// Tags of a data set.
const MAX_TAGS: usize = 1000;
/// Characters of a tag's value.
const MAX_TAG: usize = 5000;
/// The tag in which clients say who they are.
const USER: &str = "mlflow.user";

/// Proof that its holder may make a data set: EDIT on each of its experiments, or, for none, what an experiment takes.
#[derive(Debug)]
pub enum MayCreateDataset {
    /// In these.
    Experiments(Vec<Authorized<Edit, ExperimentId>>),
    /// In none.
    Alone(MayCreateExperiment),
}

impl App {
    /// Makes a data set.
    ///
    /// # Errors
    /// [`AppError::Invalid`], [`AppError::NotFound`].
    pub async fn create_evaluation_dataset(
        &self,
        caller: &Caller,
        may: &MayCreateDataset,
        name: &str,
        tags: Vec<Pair>,
    ) -> Result<EvaluationDataset, AppError> {
        let owner = caller.principal().ok_or(AppError::Unauthenticated)?.id.to_string();
        check_name(name)?;
        let tags = checked_tags(tags)?;
        let mut experiments: Vec<String> = match may {
            MayCreateDataset::Experiments(proofs) => proofs.iter().map(|may| may.resource().to_string()).collect(),
            MayCreateDataset::Alone(_) => Vec::new(),
        };
        experiments.sort_unstable();
        experiments.dedup();
        bounded(experiments.len())?;
        let now = self.now().as_millis();
        let user = tags.iter().find(|tag| tag.key == USER).map(|tag| tag.value.clone());
        let dataset = EvaluationDataset {
            id: format!("d-{}", self.rng().hex_id()),
            name: name.to_owned(),
            schema: None,
            profile: None,
            digest: digest(name, now),
            created: now,
            updated: now,
            created_by: user.clone(),
            updated_by: user,
            owner,
            tags,
            experiment_ids: experiments.clone(),
        };
        let act = Act::EvaluationDatasetCreated { dataset: dataset.id.clone(), name: name.to_owned(), experiments };
        let event = self.event(caller, Outcome::Done, act);
        let made = self
            .store()
            .write(move |tx| {
                tx.create_evaluation_dataset(&dataset)?;
                tx.record(&event)?;
                tx.evaluation_dataset(&dataset.id)?.ok_or_else(|| not_found(&dataset.id))
            })
            .await?;
        self.sequencer.notify();
        Ok(made)
    }

    /// Deletes a data set with its records.
    ///
    /// # Errors
    /// [`AppError::Denied`].
    pub async fn delete_evaluation_dataset(
        &self,
        caller: &Caller,
        may: &DatasetAccess<Manage>,
    ) -> Result<(), AppError> {
        let act = Act::EvaluationDatasetDeleted { dataset: may.id().to_owned() };
        let event = self.event(caller, Outcome::Done, act);
        let check = may.check();
        let only = self.only(&access::dataset_id(may.id())?);
        self.change_grants(move |tx| {
            let dataset = check(tx)?;
            tx.delete_evaluation_dataset(&dataset.id)?;
            for grant in tx.grants()?.into_iter().filter(|grant| grant.pattern == only) {
                tx.remove_grant(&grant)?;
            }
            Ok::<_, AppError>(tx.record(&event)?)
        })
        .await
    }

    /// Sets tags.
    ///
    /// # Errors
    /// [`AppError::Denied`], [`AppError::Invalid`].
    pub async fn set_evaluation_dataset_tags(
        &self,
        caller: &Caller,
        may: &DatasetAccess<Edit>,
        tags: Vec<Pair>,
    ) -> Result<(), AppError> {
        let tags = checked_tags(tags)?;
        let keys: Vec<&str> = tags.iter().map(|tag| tag.key.as_str()).take(10).collect();
        let event = self.dataset_event(caller, may.id(), format!("tags set: {}", keys.join(", ")));
        let (check, now) = (may.check(), self.now().as_millis());
        self.store()
            .write(move |tx| {
                let dataset = check(tx)?;
                tx.set_evaluation_dataset_tags(&dataset.id, &tags)?;
                let update = EvaluationDatasetUpdate { updated: now, ..EvaluationDatasetUpdate::default() };
                tx.update_evaluation_dataset(&dataset.id, &update)?;
                Ok::<_, AppError>(tx.record(&event)?)
            })
            .await?;
        self.sequencer.notify();
        Ok(())
    }

    /// Removes a tag. One that is not there is gone already.
    ///
    /// # Errors
    /// [`AppError::Denied`].
    pub async fn delete_evaluation_dataset_tag(
        &self,
        caller: &Caller,
        may: &DatasetAccess<Edit>,
        key: &str,
    ) -> Result<(), AppError> {
        let shown: String = key.chars().take(80).collect();
        let event = self.dataset_event(caller, may.id(), format!("tag removed: {shown}"));
        let (check, key) = (may.check(), key.to_owned());
        self.store()
            .write(move |tx| {
                let dataset = check(tx)?;
                if tx.delete_evaluation_dataset_tag(&dataset.id, &key)? {
                    tx.record(&event)?;
                }
                Ok::<_, AppError>(())
            })
            .await?;
        self.sequencer.notify();
        Ok(())
    }

    /// Adds experiments to a data set; each takes EDIT too.
    ///
    /// # Errors
    /// [`AppError::Denied`], [`AppError::Invalid`].
    pub async fn add_dataset_to_experiments(
        &self,
        caller: &Caller,
        may: &DatasetAccess<Edit>,
        to: &[Authorized<Edit, ExperimentId>],
    ) -> Result<EvaluationDataset, AppError> {
        let ids: Vec<String> = to.iter().map(|may| may.resource().to_string()).collect();
        let event = self.dataset_event(caller, may.id(), format!("added to experiments {}", ids.join(", ")));
        let (check, now) = (may.check(), self.now().as_millis());
        let dataset = self
            .store()
            .write(move |tx| {
                let dataset = check(tx)?;
                bounded(dataset.experiment_ids.len() + ids.len())?;
                tx.add_evaluation_dataset_experiments(&dataset.id, &ids)?;
                let update = EvaluationDatasetUpdate { updated: now, ..EvaluationDatasetUpdate::default() };
                tx.update_evaluation_dataset(&dataset.id, &update)?;
                tx.record(&event)?;
                tx.evaluation_dataset(&dataset.id)?.ok_or_else(|| not_found(&dataset.id))
            })
            .await?;
        self.sequencer.notify();
        Ok(dataset)
    }

    /// Takes a data set out of experiments. One that is left without any is its maker's. Takes MANAGE, as deleting it does:
    /// whoever has that on the experiments that are left could delete it then.
    ///
    /// # Errors
    /// [`AppError::Denied`], [`AppError::Invalid`].
    pub async fn remove_dataset_from_experiments(
        &self,
        caller: &Caller,
        may: &DatasetAccess<Manage>,
        ids: Vec<String>,
    ) -> Result<EvaluationDataset, AppError> {
        bounded(ids.len())?;
        let shown: Vec<String> = ids.iter().map(|id| id.chars().take(20).collect()).collect();
        let event = self.dataset_event(caller, may.id(), format!("removed from experiments {}", shown.join(", ")));
        let (check, now) = (may.check(), self.now().as_millis());
        let dataset = self
            .store()
            .write(move |tx| {
                let dataset = check(tx)?;
                tx.remove_evaluation_dataset_experiments(&dataset.id, &ids)?;
                let update = EvaluationDatasetUpdate { updated: now, ..EvaluationDatasetUpdate::default() };
                tx.update_evaluation_dataset(&dataset.id, &update)?;
                tx.record(&event)?;
                tx.evaluation_dataset(&dataset.id)?.ok_or_else(|| not_found(&dataset.id))
            })
            .await?;
        self.sequencer.notify();
        Ok(dataset)
    }

    /// The data set.
    ///
    /// # Errors
    /// [`AppError::Denied`].
    pub async fn evaluation_dataset(&self, may: &DatasetAccess<Read>) -> Result<EvaluationDataset, AppError> {
        let check = may.check();
        self.store().read(move |tx| check(tx)).await
    }

    fn dataset_event(&self, caller: &Caller, id: &str, change: String) -> sealyard_ledger::Event {
        let act = Act::EvaluationDatasetChanged { dataset: id.to_owned(), change };
        self.event(caller, Outcome::Done, act)
    }
}

fn check_name(name: &str) -> Result<(), AppError> {
    if name.trim().is_empty() || name.chars().count() > 255 || name.chars().any(char::is_control) {
        return Err(AppError::Invalid(
            "a data set's name has 1 to 255 characters, none of them a control character".to_owned(),
        ));
    }
    Ok(())
}

/// Refuses what no data set has: of one that another server kept.
pub(crate) fn check_dataset(dataset: &EvaluationDataset) -> Result<(), AppError> {
    check_name(&dataset.name)?;
    bounded(dataset.experiment_ids.len())?;
    let user =
        |user: &Option<String>| user.as_ref().is_none_or(|user| user.chars().count() <= 255 && !user.contains('\0'));
    if dataset.digest.contains('\0') {
        return Err(AppError::Invalid("its digest has a NUL character".to_owned()));
    }
    if dataset.digest.len() > 255 || !user(&dataset.created_by) || !user(&dataset.updated_by) {
        return Err(AppError::Invalid("its digest or who made it is longer than 255 characters".to_owned()));
    }
    checked_tags(dataset.tags.clone()).map(|_| ())
}

fn bounded(experiments: usize) -> Result<(), AppError> {
    if experiments > MAX_EXPERIMENTS {
        return Err(AppError::Invalid(format!("a data set belongs to at most {MAX_EXPERIMENTS} experiments")));
    }
    Ok(())
}

fn checked_tags(tags: Vec<Pair>) -> Result<Vec<Pair>, AppError> {
    if tags.len() > MAX_TAGS {
        return Err(AppError::Invalid(format!("a data set has at most {MAX_TAGS} tags")));
    }
    for tag in &tags {
        let plain = !tag.key.is_empty() && tag.key.len() <= 255 && !tag.key.chars().any(char::is_control);
        if !plain || tag.value.chars().count() > MAX_TAG || tag.value.contains('\0') {
            let shown: String = tag.key.chars().take(80).collect();
            return Err(AppError::Invalid(format!(
                "tag {shown:?}: a key has 1 to 255 bytes without control characters, a value at most {MAX_TAG} characters \
                 without NUL"
            )));
        }
    }
    Ok(tags)
}

fn not_found(id: &str) -> AppError {
    let id: String = id.chars().take(80).collect();
    AppError::Missing(format!("Evaluation dataset with id '{id}' not found"))
}

/// As MLflow has it: another one after every change of the records.
pub(crate) fn digest(name: &str, updated: i64) -> String {
    Digest::of(format!("{name}:{updated}").as_bytes()).to_hex().chars().take(8).collect()
}
