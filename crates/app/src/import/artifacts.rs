use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read as _;
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use futures::stream::{self, StreamExt as _};
use sealyard_core::TreePath;
use sealyard_ledger::{Act, Outcome};
use sealyard_store::import::SourceLoggedModel;
use sealyard_store::model::{Artifact, ArtifactOwner, LoggedModelStatus};

use super::progress::Place;
use super::{Import, PAGE};
use crate::artifacts::{PIECE, full_path};
use crate::{AppError, Upload};

/// Files that are taken in at the same time; their commits are then one.
const AT_ONCE: usize = 8;

impl Import {
    pub(super) fn run_artifacts(&mut self) -> Result<(), AppError> {
        let mut count = 0;
        loop {
            let runs = self.source.runs(&self.place.after, PAGE)?;
            let Some(last) = runs.last().map(|run| run.id.clone()) else { return self.next_phase() };
            let mut place = self.place.at(last);
            for run in runs {
                if self.stopped() {
                    return Ok(());
                }
                let usual = format!("{}/{}/artifacts", run.experiment, run.id);
                let owner = ArtifactOwner::Run(run.id);
                count += self.take_in_owner(&owner, &run.artifact_uri, &usual, &mut place)?;
                self.note_refusals(&mut place)?;
                self.say(&format!("artifacts of runs: {count}"));
            }
            self.write(place, |_| Ok(()))?;
        }
    }

    pub(super) fn model_artifacts(&mut self) -> Result<(), AppError> {
        let mut count = 0;
        loop {
            let models = self.source.logged_models(&self.place.after, PAGE)?;
            let Some(last) = models.last().map(|model| model.id.clone()) else { return self.next_phase() };
            for model in models {
                if self.stopped() {
                    return Ok(());
                }
                count += self.take_in_model(&model)?;
                self.say(&format!("artifacts of logged models: {count}"));
            }
            let place = self.place.at(last);
            self.write(place, |_| Ok(()))?;
        }
    }

    /// The files of one owner that are not here yet; gives how many the source has. What is refused is noted in `place`.
    pub(super) fn take_in_owner(
        &mut self,
        owner: &ArtifactOwner,
        uri: &str,
        usual: &str,
        place: &mut Place,
    ) -> Result<u64, AppError> {
        let Some(files) = &self.files else { return Ok(0) };
        let Some(root) = files.locate(uri, usual) else { return Ok(0) };
        let listing = files.list(root)?;
        for (path, why) in &listing.odd {
            place.refuse(&full_path(owner, path), "artifact.path", why);
        }
        let count = listing.files.len() as u64;
        let here: BTreeMap<TreePath, u64> =
            self.artifacts_of(owner, "")?.into_iter().map(|artifact| (artifact.path, artifact.size)).collect();
        let missing: Vec<TreePath> = listing
            .files
            .into_iter()
            .filter(|(path, size)| here.get(path) != Some(size))
            .map(|(path, _)| path)
            .collect();
        let root: &PathBuf = &listing.root;
        let (app, caller) = (&self.app, &self.caller);
        let outcomes: Vec<(TreePath, Result<Artifact, AppError>)> = self.handle.block_on(
            stream::iter(missing)
                .map(|path| async move {
                    let outcome = match files.open_file(root, &path) {
                        Ok(file) => {
                            let upload = Upload { owner: owner.clone(), path: path.clone(), limit: u64::MAX };
                            app.take_in(caller, upload, pieces(file)).await
                        }
                        Err(error) => Err(AppError::Invalid(format!("it can't be read: {error}"))),
                    };
                    (path, outcome)
                })
                .buffer_unordered(AT_ONCE)
                .collect(),
        );
        for (path, outcome) in outcomes {
            match outcome {
                Ok(_) => {}
                Err(AppError::Refused { rule, reason }) => place.refuse(&full_path(owner, path.as_str()), rule, reason),
                Err(AppError::Invalid(reason) | AppError::Conflict(reason)) => {
                    place.refuse(&full_path(owner, path.as_str()), "artifact.read", reason);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(count)
    }

    pub(super) fn artifacts_of(&self, owner: &ArtifactOwner, path: &str) -> Result<Vec<Artifact>, AppError> {
        let (owner, path) = (owner.clone(), path.to_owned());
        self.read(move |tx| Ok(tx.artifacts_below(&owner, &path)?))
    }

    /// A logged model's files, and then its end: ready only if all of them were taken in and are no danger together.
    fn take_in_model(&mut self, model: &SourceLoggedModel) -> Result<u64, AppError> {
        let id = model.id.clone();
        let wanted = id.clone();
        let here = self.read(move |tx| Ok(tx.logged_model(&wanted)?))?;
        if here.is_none_or(|here| here.status != LoggedModelStatus::Pending) {
            return Ok(0);
        }
        let owner = ArtifactOwner::LoggedModel(id.clone());
        let usual = format!("{}/models/{id}/artifacts", model.experiment);
        let mut place = self.place.clone();
        let before = place.refusals;
        let count = self.take_in_owner(&owner, &model.artifact_location, &usual, &mut place)?;
        if model.status == LoggedModelStatus::Pending {
            self.write(place, |_| Ok(()))?;
            return Ok(count);
        }
        let updated = model.updated;
        let failed = if model.status == LoggedModelStatus::UploadFailed {
            Some(model.message.clone())
        } else if place.refusals > before {
            Some("not all of its files were taken in when it was imported".to_owned())
        } else {
            None
        };
        let mut refusal = None;
        let outcome = match failed {
            Some(message) => Err(message),
            None => {
                let artifacts = self.artifacts_of(&owner, "")?;
                match self.handle.block_on(self.app.collect(format!("models:/{id}"), "", artifacts)) {
                    Ok(collected) => Ok(collected),
                    Err(AppError::Refused { rule, reason }) => {
                        let path = format!("models:/{id}");
                        let act = Act::ArtifactRefused {
                            path: path.clone(),
                            digest: None,
                            rule: rule.clone(),
                            reason: reason.clone(),
                        };
                        refusal = Some(self.app.event(&self.caller, Outcome::Refused, act));
                        place.refuse(&path, rule.clone(), reason.clone());
                        Err(format!("refused by {rule} when it was imported: {reason}"))
                    }
                    Err(error) => return Err(error),
                }
            }
        };
        match outcome {
            Ok(collected) => {
                let digest = collected.tree.digest();
                let verdict = collected.verdict.to_string();
                let event = self.event(Act::ModelFinalised { model_id: id.clone(), digest, verdict });
                let key_used = self.event(self.app.scanner_signed(&collected.scan));
                let (scan, message) = (collected.scan, model.message.clone());
                self.write(place, move |tx| {
                    tx.finalise_logged_model(&id, LoggedModelStatus::Ready, &message, Some(digest), updated)?;
                    tx.add_evidence(&scan)?;
                    tx.record(&key_used)?;
                    Ok(tx.record(&event)?)
                })?;
            }
            Err(message) => {
                let message: String = message.chars().take(1000).collect();
                self.write(place, move |tx| {
                    tx.finalise_logged_model(&id, LoggedModelStatus::UploadFailed, &message, None, updated)?;
                    refusal.map_or(Ok(()), |event| Ok(tx.record(&event)?))
                })?;
            }
        }
        Ok(count)
    }
}

/// A file's bytes. Reading blocks only the import's own thread.
fn pieces(file: File) -> impl stream::Stream<Item = std::io::Result<Bytes>> + Send {
    stream::iter(std::iter::from_fn({
        let mut file = Some(Arc::new(file));
        move || {
            let mut buffer = Vec::with_capacity(PIECE);
            let opened = file.clone()?;
            match (&*opened).take(PIECE as u64).read_to_end(&mut buffer) {
                Ok(0) => {
                    file = None;
                    None
                }
                Ok(_) => Some(Ok(Bytes::from(buffer))),
                Err(error) => {
                    file = None;
                    Some(Err(error))
                }
            }
        }
    }))
}
