use sealyard_identity::{Authorized, Edit, ExperimentId, Read, RegistryEntry};
use sealyard_ledger::{Act, Outcome};
use sealyard_store::Transaction;
use sealyard_store::model::{
    Artifact, ArtifactOwner, LoggedModel, LoggedModelStatus, ModelVersion, NewModelVersion, Pair,
};

use super::records::{self, note_version};
use super::source::{Source, shorten, version_of};
use crate::model_files::MOST_FILES;
use crate::webhooks::Happening;
use crate::{App, AppError, Caller};

/// A version to be made.
#[derive(Debug, Clone)]
pub struct CreateVersion {
    /// Where its files are: `models:/m-…`, `runs:/<run>/<path>` or an `mlflow-artifacts:` URI of this server.
    pub source: String,
    /// The run it came from, as the client says. Files of a run come from that run whatever the client says.
    pub run_id: Option<String>,
    /// The logged model it came from, as the client says; likewise.
    pub model_id: Option<String>,
    /// For people.
    pub description: String,
    /// Tags.
    pub tags: Vec<Pair>,
}

/// What the source was when it was looked at, and must still be when the version is written.
#[derive(Debug, Clone, PartialEq)]
struct Found {
    artifacts: Vec<Artifact>,
    logged: Option<LoggedModel>,
}

impl Found {
    fn read(tx: &mut dyn Transaction, owner: &ArtifactOwner, path: &str) -> Result<Self, AppError> {
        if tx.count_artifacts_below(owner, path)? > MOST_FILES as u64 {
            let reason = format!("it has more than the {MOST_FILES} files that a model may have");
            return Err(AppError::refused("model.files", reason));
        }
        let logged = match owner {
            ArtifactOwner::LoggedModel(id) => match tx.logged_model(id)? {
                Some(model) if model.status == LoggedModelStatus::Ready => Some(model),
                _ => return Err(AppError::refused("version.source", "the logged model is not finalised")),
            },
            ArtifactOwner::Run(_) => None,
            ArtifactOwner::Trace(_) | ArtifactOwner::Loose => return Err(unknown_source()),
        };
        Ok(Self { artifacts: tx.artifacts_below(owner, path)?, logged })
    }
}

impl App {
    /// Registers a version: its files are frozen and scanned as a whole. Registering is not publishing.
    ///
    /// # Errors
    /// [`AppError::Refused`] for a source elsewhere, an empty or an unsafe folder; [`AppError::Denied`] when the caller may
    /// not read the source; [`AppError::Conflict`] when it changed meanwhile.
    pub async fn create_version(
        &self,
        caller: &Caller,
        authorized: &Authorized<Edit, RegistryEntry>,
        request: CreateVersion,
    ) -> Result<ModelVersion, AppError> {
        let name = authorized.resource().as_str().to_owned();
        let source = shorten(&request.source);
        let result = self.make_version(caller, authorized.resource(), request).await;
        if let Err(error) = &result
            && let Some((rule, reason)) = error.refusal()
        {
            let act = Act::VersionRefused { name, version_source: source, rule, reason };
            self.record_refusal(self.event(caller, Outcome::Refused, act)).await?;
        }
        result
    }

    async fn make_version(
        &self,
        caller: &Caller,
        entry: &RegistryEntry,
        request: CreateVersion,
    ) -> Result<ModelVersion, AppError> {
        let name = entry.as_str();
        if records::is_prompt(&request.tags) {
            return self.record_prompt(caller, name, request).await;
        }
        if let Some(version) = version_of(&request.source) {
            return self.copy_version(caller, entry, version, request).await;
        }
        if entry.is_prompt() {
            return Err(AppError::refused("version.source", "a version of a prompt is text and no model"));
        }
        let noted = self.records_external_sources().then(|| request.clone());
        match (self.freeze_version(caller, name, request).await, noted) {
            // What is here and can be frozen is. What the caller may not see stays refused: a version is no way to learn
            // whether it exists.
            (Err(error), Some(request)) if is_elsewhere(&error) => self.record_elsewhere(caller, name, request).await,
            (made, _) => made,
        }
    }

    async fn freeze_version(
        &self,
        caller: &Caller,
        name: &str,
        request: CreateVersion,
    ) -> Result<ModelVersion, AppError> {
        let Source { owner, path, experiment } = Source::parse(&request.source)?;
        let owners = self.may_read(caller, &owner).await?;
        if experiment.is_some_and(|named| named != owners.as_str()) {
            return Err(unknown_source());
        }
        let found = {
            let (name, owner, path) = (name.to_owned(), owner.clone(), path.clone());
            self.store()
                .read(move |tx| {
                    if tx.registered_model(&name)?.is_none() {
                        return Err(AppError::NotFound { kind: "registered model", id: name });
                    }
                    Found::read(tx, &owner, &path)
                })
                .await?
        };
        let of_model = found.logged.as_ref().and_then(|model| model.source_run_id.clone());
        let (run_id, model_id) = match (&owner, of_model) {
            (ArtifactOwner::Run(id), _) => (Some(id.clone()), self.claimed_model(caller, request.model_id).await?),
            (ArtifactOwner::LoggedModel(id), Some(run)) => (Some(run), Some(id.clone())),
            (ArtifactOwner::LoggedModel(id), None) => {
                (self.claimed_run(caller, request.run_id).await?, Some(id.clone()))
            }
            (ArtifactOwner::Trace(_) | ArtifactOwner::Loose, _) => return Err(unknown_source()),
        };
        let tagged = self.may_tag_model(caller, model_id.as_deref()).await;
        let collected = self.collect(format!("models:/{name}"), &path, found.artifacts.clone()).await?;
        let digest = collected.tree.digest();
        let new = NewModelVersion {
            name: name.to_owned(),
            description: request.description,
            source: request.source,
            run_id,
            model_id,
            experiment_id: owners.as_str().to_owned(),
            created: self.now(),
            created_by: caller.actor().to_owned(),
            tags: request.tags,
            tree: collected.tree,
            files: collected.files,
            verdict: collected.verdict,
            location: None,
        };
        let scan = collected.scan;
        let verdict = new.verdict.to_string();
        let event = self.event(
            caller,
            Outcome::Done,
            Act::VersionCreated { name: name.to_owned(), version: 0, digest, verdict },
        );
        let key_used = self.event(caller, Outcome::Done, self.scanner_signed(&scan));
        let announcer = self.announcer();
        let version = self
            .store()
            .write(move |tx| {
                // What was scanned is what is frozen; a file that came, went or changed in between was not scanned.
                if Found::read(tx, &owner, &path)?.artifacts != found.artifacts {
                    return Err(AppError::Conflict("files changed while the version was being made".into()));
                }
                let made = tx.create_model_version(&new)?;
                if let Some(model) = &tagged {
                    note_version(tx, model, &made)?;
                }
                tx.add_evidence(&scan)?;
                tx.record(&key_used)?;
                announcer.announce(tx, Happening::of_version(&made))?;
                let mut event = event;
                if let Act::VersionCreated { version, .. } = &mut event.act {
                    *version = made.version;
                }
                tx.record(&event)?;
                Ok(made)
            })
            .await?;
        self.sequencer.notify();
        Ok(version)
    }

    /// The experiment of an owner that `caller` may read. One that is not there and one that may not be read are the same
    /// answer.
    async fn may_read(&self, caller: &Caller, owner: &ArtifactOwner) -> Result<ExperimentId, AppError> {
        let asked = match owner {
            ArtifactOwner::Run(id) => self.authorize_run(caller, Read, id).await,
            ArtifactOwner::LoggedModel(id) => self.authorize_logged_model(caller, Read, id).await,
            // No model is made of a trace.
            ArtifactOwner::Trace(_) | ArtifactOwner::Loose => return Err(unknown_source()),
        };
        match asked {
            Ok(authorized) => Ok(authorized.resource().clone()),
            Err(AppError::NotFound { .. }) => Err(unknown_source()),
            Err(AppError::Denied { rule, action, .. }) => {
                Err(AppError::Denied { rule, action, resource: "the source of the version".to_owned() })
            }
            Err(error) => Err(error),
        }
    }

    /// What a version says it came from is shown to people; it must be something its maker can see.
    async fn claimed_run(&self, caller: &Caller, id: Option<String>) -> Result<Option<String>, AppError> {
        let Some(id) = id.filter(|id| !id.is_empty()) else { return Ok(None) };
        self.may_read(caller, &ArtifactOwner::Run(id.clone())).await?;
        Ok(Some(id))
    }

    async fn claimed_model(&self, caller: &Caller, id: Option<String>) -> Result<Option<String>, AppError> {
        let Some(id) = id.filter(|id| !id.is_empty()) else { return Ok(None) };
        self.may_read(caller, &ArtifactOwner::LoggedModel(id.clone())).await?;
        Ok(Some(id))
    }
}

/// Whether a version can't be frozen because its files are not here: its source names another place, or nothing yet.
fn is_elsewhere(error: &AppError) -> bool {
    matches!(error, AppError::Refused { rule, .. } if matches!(rule.as_str(), "version.source" | "model.files"))
}

fn unknown_source() -> AppError {
    AppError::refused("version.source", "the source does not exist or may not be read")
}
