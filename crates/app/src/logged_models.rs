//! Finalising a logged model: its files are scanned as a whole and frozen.

use sealyard_identity::{Authorized, Edit, ExperimentId};
use sealyard_ledger::{Act, Outcome};
use sealyard_store::model::{ArtifactOwner, LoggedModel, LoggedModelStatus};

use crate::model_files::MOST_FILES;
use crate::{App, AppError, Caller};

/// What a client may say about how its upload ended.
const MESSAGE_CHARACTERS: usize = 5000;

impl App {
    /// Ends the upload of a logged model. `Ready` freezes its files, after a scan of the folder as a whole.
    ///
    /// # Errors
    /// [`AppError::Refused`] when the folder is unsafe: it stays pending, and nothing can be made of it;
    /// [`AppError::Conflict`] when it was finalised before; [`AppError::Denied`] for a model of another experiment.
    pub async fn finalise_logged_model(
        &self,
        caller: &Caller,
        authorized: &Authorized<Edit, ExperimentId>,
        id: &str,
        status: LoggedModelStatus,
        message: String,
    ) -> Result<LoggedModel, AppError> {
        if message.chars().count() > MESSAGE_CHARACTERS {
            return Err(AppError::Invalid(format!(
                "the status message is longer than {MESSAGE_CHARACTERS} characters"
            )));
        }
        let owner = ArtifactOwner::LoggedModel(id.to_owned());
        let wanted = owner.clone();
        let model_id = id.to_owned();
        let (model, artifacts) = self
            .store()
            .read(move |tx| {
                if tx.count_artifacts_below(&wanted, "")? > MOST_FILES as u64 {
                    let reason = format!("it has more than the {MOST_FILES} files that a model may have");
                    return Err(AppError::refused("model.files", reason));
                }
                Ok((tx.logged_model(&model_id)?, tx.artifacts_below(&wanted, "")?))
            })
            .await?;
        let experiment = authorized.resource().as_str();
        let Some(model) = model.filter(|model| model.experiment_id == experiment) else {
            return Err(AppError::Denied {
                rule: "authorization",
                action: "edit".to_owned(),
                resource: format!("models:/{id}"),
            });
        };
        let now = self.now();
        let id = id.to_owned();
        if status != LoggedModelStatus::Ready {
            return self.store().write(move |tx| Ok(tx.finalise_logged_model(&id, status, &message, None, now)?)).await;
        }
        if model.status != LoggedModelStatus::Pending {
            return Err(AppError::Conflict(format!("the logged model {id} is finalised already")));
        }
        if artifacts.is_empty() {
            return self.finalise_empty(caller, id, message).await;
        }
        let uploaded = artifacts.clone();
        let collected = match self.collect(format!("models:/{id}"), "", artifacts).await {
            Ok(collected) => collected,
            Err(error) => {
                if let Some((rule, reason)) = error.refusal() {
                    let act = Act::ArtifactRefused { path: format!("models:/{id}"), digest: None, rule, reason };
                    self.record_refusal(self.event(caller, Outcome::Refused, act)).await?;
                }
                return Err(error);
            }
        };
        let digest = collected.tree.digest();
        let act = Act::ModelFinalised { model_id: id.clone(), digest, verdict: collected.verdict.to_string() };
        let event = self.event(caller, Outcome::Done, act);
        let scan = collected.scan;
        let key_used = self.event(caller, Outcome::Done, self.scanner_signed(&scan));
        let model = self
            .store()
            .write(move |tx| {
                // What was scanned is what is frozen: a file that came or changed in between starts it all again.
                if tx.artifacts_below(&owner, "")? != uploaded {
                    return Err(AppError::Conflict("files were uploaded while the model was being finalised".into()));
                }
                let model = tx.finalise_logged_model(&id, status, &message, Some(digest), now)?;
                tx.add_evidence(&scan)?;
                tx.record(&key_used)?;
                tx.record(&event)?;
                Ok(model)
            })
            .await?;
        self.sequencer.notify();
        Ok(model)
    }

    /// A model without files: one that is served elsewhere, or only has parameters and metrics. There is nothing that a
    /// version could be made of, and nothing that was assessed.
    async fn finalise_empty(&self, caller: &Caller, id: String, message: String) -> Result<LoggedModel, AppError> {
        let act = Act::ModelFinalisedEmpty { model_id: id.clone() };
        let (event, now) = (self.event(caller, Outcome::Done, act), self.now());
        let model = self
            .store()
            .write(move |tx| {
                if tx.count_artifacts_below(&ArtifactOwner::LoggedModel(id.clone()), "")? > 0 {
                    return Err(AppError::Conflict("files were uploaded while the model was being finalised".into()));
                }
                let model = tx.finalise_logged_model(&id, LoggedModelStatus::Ready, &message, None, now)?;
                tx.record(&event)?;
                Ok(model)
            })
            .await?;
        self.sequencer.notify();
        Ok(model)
    }
}
