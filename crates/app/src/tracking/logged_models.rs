//! Logged models: what a run made, before it has a version. Finalising one is in the crate's `logged_models`.

use sealyard_core::{FileEntry, FileTree};
use sealyard_identity::{Action, ActsOn, Authorized, Edit, ExperimentId, Manage, Read};
use sealyard_ledger::{Act, Outcome};
use sealyard_store::Transaction;
use sealyard_store::model::{
    Artifact, ArtifactOwner, Condition, LoggedModel, LoggedModelQuery, NewLoggedModel, OrderBy, Pair,
};

use super::experiments::experiment_id;
use super::limits;
use super::paging::{Listing, PageToken, Query};
use super::runs::{active_experiment, is_run_id, of_experiment};
use crate::{App, AppError, Caller, ModelManifest};

/// A logged model to be made.
#[derive(Debug, Clone, Default)]
pub struct CreateLoggedModel {
    /// Its name; one is made up when it is empty.
    pub name: String,
    /// The run that made it.
    pub source_run_id: Option<String>,
    /// What kind of model, for people.
    pub model_type: String,
    /// Tags.
    pub tags: Vec<Pair>,
    /// Parameters.
    pub params: Vec<Pair>,
}

/// A search for logged models.
#[derive(Debug, Clone, Default)]
pub struct SearchLoggedModels {
    /// All must hold.
    pub filter: Vec<Condition>,
    /// First is most significant.
    pub order: Vec<OrderBy>,
    /// Page size as asked for.
    pub max_results: Option<i64>,
    /// Where to go on.
    pub from: PageToken,
}

impl App {
    /// Finds a logged model's experiment and asks the authorizer about it.
    ///
    /// # Errors
    /// [`AppError::Denied`], also for a model that is not there; an administrator gets [`AppError::NotFound`].
    pub async fn authorize_logged_model<A>(
        &self,
        caller: &Caller,
        action: A,
        model_id: &str,
    ) -> Result<Authorized<A, ExperimentId>, AppError>
    where
        A: ActsOn<ExperimentId>,
    {
        let found = if is_model_id(model_id) {
            let id = model_id.to_owned();
            self.store().read(move |tx| Ok::<_, AppError>(tx.logged_model(&id)?)).await?
        } else {
            None
        };
        match found {
            Some(model) => {
                let experiment = experiment_id(&model.experiment_id)?;
                self.authorize_below(caller, action, experiment, "logged model", model_id).await
            }
            None => Err(self.deny_unseen(caller, <A as Action>::KIND.to_string(), "logged model", model_id).await?),
        }
    }

    /// Begins a logged model; it is pending until it is finalised.
    ///
    /// # Errors
    /// [`AppError::Denied`] for a run in another experiment; [`AppError::Invalid`].
    pub async fn create_logged_model(
        &self,
        caller: &Caller,
        may: &Authorized<Edit, ExperimentId>,
        create: CreateLoggedModel,
    ) -> Result<LoggedModel, AppError> {
        let CreateLoggedModel { name, source_run_id, model_type, tags, params } = create;
        limits::tags(&tags)?;
        limits::model_params(&params)?;
        let id = format!("m-{}", self.rng().hex_id());
        let name = if name.is_empty() { format!("model-{}", id.get(2..10).unwrap_or(&id)) } else { name };
        limits::name("name", &name)?;
        if name.contains(['/', ':', '.', '%', '"', '\'']) {
            return Err(AppError::Invalid(format!(
                "Invalid model name ({:?}) provided. Model name must be a non-empty string and cannot contain the \
                 following characters: ('/', ':', '.', '%', '\"', \"'\")",
                name.chars().take(80).collect::<String>()
            )));
        }
        if model_type.chars().count() > 500 {
            return Err(AppError::Invalid("'model_type' exceeds the maximum length of 500 characters".to_owned()));
        }
        let source_run_id = source_run_id.filter(|run| !run.is_empty());
        if source_run_id.as_ref().is_some_and(|run| run.len() > 256) {
            return Err(AppError::Invalid("'source_run_id' exceeds the maximum length of 256 characters".to_owned()));
        }
        let experiment = may.resource().clone();
        let new = NewLoggedModel {
            id,
            experiment_id: experiment.to_string(),
            name,
            source_run_id,
            model_type,
            created: self.now(),
            created_by: may.principal().name.to_string(),
            tags,
            params,
        };
        let act = Act::LoggedModelCreated { model_id: new.id.clone(), experiment: new.experiment_id.clone() };
        let event = self.event(caller, Outcome::Done, act);
        let model = self
            .store()
            .write(move |tx| {
                active_experiment(tx, &new.experiment_id)?;
                // What no run can be called is a note, and of no run that anybody could want to hide.
                if let Some(run) = new.source_run_id.as_ref().filter(|run| is_run_id(run)) {
                    of_experiment(tx, &experiment, run)?;
                }
                let model = tx.create_logged_model(&new)?;
                tx.record(&event)?;
                Ok::<_, AppError>(model)
            })
            .await?;
        self.sequencer.notify();
        Ok(model)
    }

    /// The logged model.
    ///
    /// # Errors
    /// [`AppError::Denied`] when it is in another experiment than the proof's.
    pub async fn logged_model(&self, may: &Authorized<Read, ExperimentId>, id: &str) -> Result<LoggedModel, AppError> {
        let (experiment, id) = (may.resource().clone(), id.to_owned());
        self.store().read(move |tx| model_of_experiment(tx, &experiment, &id)).await
    }

    /// The frozen files of a finalised logged model.
    ///
    /// # Errors
    /// [`AppError::Denied`]; [`AppError::Conflict`] before it is finalised; [`AppError::Internal`] when the files are not
    /// those that were frozen.
    pub async fn logged_model_manifest(
        &self,
        may: &Authorized<Read, ExperimentId>,
        id: &str,
    ) -> Result<ModelManifest, AppError> {
        let (experiment, id) = (may.resource().clone(), id.to_owned());
        let (model, artifacts) = self
            .store()
            .read(move |tx| {
                let model = model_of_experiment(tx, &experiment, &id)?;
                let artifacts = tx.artifacts_below(&ArtifactOwner::LoggedModel(id), "")?;
                Ok::<_, AppError>((model, artifacts))
            })
            .await?;
        let Some(digest) = model.tree else {
            return Err(AppError::Conflict(format!("the logged model {} is not finalised", model.id)));
        };
        let entry = |artifact: Artifact| FileEntry {
            path: artifact.path,
            size: artifact.size,
            digest: artifact.digest,
            executable: false,
        };
        let broken = |why: String| AppError::internal("a logged model's files are not those that were frozen", why);
        let files = FileTree::new(artifacts.into_iter().map(entry)).map_err(|error| broken(error.to_string()))?;
        if files.digest() != digest {
            return Err(broken(format!("{}: {} instead of {digest}", model.id, files.digest())));
        }
        Ok(ModelManifest { name: model.id, version: None, digest, files })
    }

    /// Sets tags.
    ///
    /// # Errors
    /// [`AppError::Denied`], [`AppError::Invalid`].
    pub async fn set_logged_model_tags(
        &self,
        may: &Authorized<Edit, ExperimentId>,
        id: &str,
        tags: Vec<Pair>,
    ) -> Result<LoggedModel, AppError> {
        limits::tags(&tags)?;
        let (experiment, id, now) = (may.resource().clone(), id.to_owned(), self.now());
        self.store()
            .write(move |tx| {
                model_of_experiment(tx, &experiment, &id)?;
                tx.set_logged_model_tags(&id, &tags, now)?;
                model_of_experiment(tx, &experiment, &id)
            })
            .await
    }

    /// Removes a tag.
    ///
    /// # Errors
    /// [`AppError::Denied`], [`AppError::NotFound`].
    pub async fn delete_logged_model_tag(
        &self,
        may: &Authorized<Edit, ExperimentId>,
        id: &str,
        key: &str,
    ) -> Result<(), AppError> {
        let (experiment, id, key) = (may.resource().clone(), id.to_owned(), key.to_owned());
        self.store()
            .write(move |tx| {
                model_of_experiment(tx, &experiment, &id)?;
                tx.delete_logged_model_tag(&id, &key).map_err(|error| match AppError::from(error) {
                    AppError::NotFound { kind: "tag", id } => AppError::NotFound { kind: "logged model tag", id },
                    error => error,
                })
            })
            .await
    }

    /// Adds parameters.
    ///
    /// # Errors
    /// [`AppError::Denied`], [`AppError::Invalid`], [`AppError::Conflict`].
    pub async fn log_logged_model_params(
        &self,
        may: &Authorized<Edit, ExperimentId>,
        id: &str,
        params: Vec<Pair>,
    ) -> Result<(), AppError> {
        limits::model_params(&params)?;
        let (experiment, id) = (may.resource().clone(), id.to_owned());
        self.store()
            .write(move |tx| {
                model_of_experiment(tx, &experiment, &id)?;
                Ok(tx.log_logged_model_params(&id, &params)?)
            })
            .await
    }

    /// Removes a logged model. Versions made of it keep their files.
    ///
    /// # Errors
    /// [`AppError::Denied`].
    pub async fn delete_logged_model(
        &self,
        caller: &Caller,
        may: &Authorized<Manage, ExperimentId>,
        id: &str,
    ) -> Result<(), AppError> {
        let (experiment, id, now) = (may.resource().clone(), id.to_owned(), self.now());
        let event = self.event(caller, Outcome::Done, Act::LoggedModelDeleted { model_id: id.clone() });
        self.store()
            .write(move |tx| {
                model_of_experiment(tx, &experiment, &id)?;
                tx.delete_logged_model(&id, now)?;
                Ok::<_, AppError>(tx.record(&event)?)
            })
            .await?;
        self.sequencer.notify();
        Ok(())
    }

    /// Logged models of the experiments that the proofs are for.
    ///
    /// # Errors
    /// [`AppError::Invalid`].
    pub async fn search_logged_models(
        &self,
        may: &[Authorized<Read, ExperimentId>],
        search: SearchLoggedModels,
    ) -> Result<Listing<LoggedModel>, AppError> {
        let SearchLoggedModels { filter, order, max_results, from } = search;
        let limit = limits::page(max_results, 100, limits::LOGGED_MODELS_PER_PAGE)?;
        let experiments: Vec<String> = may.iter().map(|may| may.resource().to_string()).collect();
        if experiments.is_empty() {
            return Ok(Listing { items: Vec::new(), next_page_token: None });
        }
        let mark = Query::of(&("logged models", &experiments, &filter, &order));
        let after = self.page_tokens().open_token(mark, &from)?;
        let query = LoggedModelQuery { experiments, filter, order, limit, after };
        let page = self.store().read(move |tx| Ok::<_, AppError>(tx.search_logged_models(&query)?)).await?;
        Ok(self.page_tokens().listing(mark, page))
    }
}

/// A proof for one experiment is none for a model in another.
fn model_of_experiment(tx: &mut dyn Transaction, experiment: &ExperimentId, id: &str) -> Result<LoggedModel, AppError> {
    match tx.logged_model(id)? {
        Some(model) if model.experiment_id == experiment.as_str() => Ok(model),
        _ => Err(AppError::Denied {
            rule: "authorization",
            action: "access".to_owned(),
            resource: format!("logged model {:?}", id.chars().take(80).collect::<String>()),
        }),
    }
}

/// Whether this is an id as logged models get one.
pub(crate) fn is_model_id(id: &str) -> bool {
    id.strip_prefix("m-").is_some_and(|hex| {
        hex.len() == 32 && hex.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
    })
}
