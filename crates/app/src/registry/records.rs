//! Versions without files: prompts, copies of those, and notes of models that are kept elsewhere.
//!
//! Nothing is ever read from where such a version's source points, neither when it is made nor later: the text is kept and
//! given back. It is not assessed, and since there is no file tree, every gate fails for it.

use std::sync::atomic::Ordering;

use percent_encoding::percent_decode_str;
use sealyard_core::Digest;
use sealyard_identity::{Edit, ModelName, Read, RegistryEntry};
use sealyard_ledger::{Act, Outcome};
use sealyard_store::Transaction;
use sealyard_store::model::{ArtifactOwner, ModelVersion, NewModelVersion, NewVersionRecord, Pair};

use super::CreateVersion;
use super::source::shorten;
use crate::tracking::{self, PROMPT_TAG, experiment_id};
use crate::webhooks::Happening;
use crate::{App, AppError, Caller};

/// The tag in which MLflow keeps which versions were made of a logged model.
const VERSIONS_TAG: &str = "mlflow.modelVersions";
/// What a tag may hold.
const LONGEST_TAG: usize = 8000;
/// Longer sources are nobody's.
const MOST_CHARACTERS: usize = 2000;

impl App {
    /// From now on a version may note a source that is not on this server. See the module's docs for what that is.
    pub fn record_external_sources(&self) {
        self.external_sources.store(true, Ordering::SeqCst);
    }

    pub(crate) fn records_external_sources(&self) -> bool {
        self.external_sources.load(Ordering::SeqCst)
    }

    /// A version of a prompt; the text is in its tags.
    pub(super) async fn record_prompt(
        &self,
        caller: &Caller,
        name: &str,
        request: CreateVersion,
    ) -> Result<ModelVersion, AppError> {
        check_prompt_source(&request.source)?;
        let model = name.to_owned();
        let found = self.store().read(move |tx| Ok::<_, AppError>(tx.registered_model(&model)?)).await?;
        let Some(found) = found else {
            return Err(AppError::NotFound { kind: "registered model", id: name.to_owned() });
        };
        if !tracking::is_prompt(&found.tags) {
            return Err(AppError::refused("version.source", "a version of a model is no prompt"));
        }
        self.record_version(caller, name, request, None).await
    }

    /// A version that only notes where a model is.
    pub(super) async fn record_elsewhere(
        &self,
        caller: &Caller,
        name: &str,
        request: CreateVersion,
    ) -> Result<ModelVersion, AppError> {
        check_elsewhere(&request.source)?;
        self.record_version(caller, name, request, None).await
    }

    /// A copy of another version that the caller may read: of the same frozen files, or of the same note.
    pub(super) async fn copy_version(
        &self,
        caller: &Caller,
        to: &RegistryEntry,
        (from, version): (ModelName, u32),
        request: CreateVersion,
    ) -> Result<ModelVersion, AppError> {
        let name = to.as_str();
        let from_entry = self.registry_entry(from.clone()).await?;
        let _may_read = self.authorize(caller, Read, from_entry.clone()).await?;
        if from_entry.is_prompt() != to.is_prompt() {
            return Err(AppError::refused(
                "version.source",
                "a version of a model is no prompt, and a prompt no model",
            ));
        }
        let wanted = from.to_string();
        let (original, files) = self
            .store()
            .read(move |tx| {
                let Some(original) = tx.model_version(&wanted, version)? else {
                    return Err(AppError::refused("version.source", "there is no such version to copy"));
                };
                let files = if original.is_record { None } else { Some(tx.model_version_files(&wanted, version)?) };
                Ok((original, files))
            })
            .await?;
        let location = Some(original.download_location());
        let Some((tree, files)) = files else {
            return self.record_version(caller, name, request, location).await;
        };
        let (digest, verdict) = (tree.digest(), original.verdict);
        let new = NewModelVersion {
            name: name.to_owned(),
            description: request.description,
            source: request.source,
            run_id: original.run_id,
            model_id: original.model_id,
            experiment_id: original.experiment_id,
            created: self.now(),
            created_by: caller.actor().to_owned(),
            tags: request.tags,
            tree,
            files,
            verdict,
            location,
        };
        let act = Act::VersionCreated { name: name.to_owned(), version: 0, digest, verdict: verdict.to_string() };
        let event = self.event(caller, Outcome::Done, act);
        let announcer = self.announcer();
        let made = self
            .store()
            .write(move |tx| {
                // Objects of a version that went meanwhile may be swept away.
                let (now, _) = tx.model_version_files(from.as_str(), version)?;
                if now.digest() != new.tree.digest() {
                    return Err(AppError::Conflict("the version changed while it was copied".to_owned()));
                }
                let made = tx.create_model_version(&new)?;
                let mut event = event;
                if let Act::VersionCreated { version, .. } = &mut event.act {
                    *version = made.version;
                }
                tx.record(&event)?;
                announcer.announce(tx, Happening::of_version(&made))?;
                Ok::<_, AppError>(made)
            })
            .await?;
        self.sequencer.notify();
        Ok(made)
    }

    async fn record_version(
        &self,
        caller: &Caller,
        name: &str,
        request: CreateVersion,
        location: Option<String>,
    ) -> Result<ModelVersion, AppError> {
        self.check_claims(caller, request.run_id.as_deref(), request.model_id.as_deref()).await?;
        let tagged = self.may_tag_model(caller, request.model_id.as_deref()).await;
        let source = shorten(&request.source);
        let new = NewVersionRecord {
            name: name.to_owned(),
            description: request.description,
            placeholder: no_files(&request.source),
            source: request.source,
            run_id: request.run_id,
            model_id: request.model_id,
            created: self.now(),
            created_by: caller.actor().to_owned(),
            tags: request.tags,
            location,
        };
        let act = Act::VersionRecorded { name: name.to_owned(), version: 0, version_source: source };
        let event = self.event(caller, Outcome::Done, act);
        let announcer = self.announcer();
        let made = self
            .store()
            .write(move |tx| {
                let made = tx.record_model_version(&new)?;
                if let Some(model) = &tagged {
                    note_version(tx, model, &made)?;
                }
                let mut event = event;
                if let Act::VersionRecorded { version, .. } = &mut event.act {
                    *version = made.version;
                }
                tx.record(&event)?;
                announcer.announce(tx, Happening::of_version(&made))?;
                Ok::<_, AppError>(made)
            })
            .await?;
        self.sequencer.notify();
        Ok(made)
    }

    /// The logged model whose tag may be changed because a version was made of it: by whoever may change the model.
    pub(super) async fn may_tag_model(&self, caller: &Caller, model: Option<&str>) -> Option<String> {
        let model = model?;
        let experiment = self.experiment_of(&ArtifactOwner::LoggedModel(model.to_owned())).await.ok()??;
        let experiment = experiment_id(&experiment).ok()?;
        self.may(caller, Edit, experiment).then(|| model.to_owned())
    }
}

/// What stands in the place of a file tree's digest.
pub(crate) fn no_files(source: &str) -> Digest {
    Digest::of(format!("a version without files: {source}").as_bytes())
}

/// Clients send a word that means nothing. Whatever could name a place is not taken, prompt or not.
pub(crate) fn check_prompt_source(source: &str) -> Result<(), AppError> {
    let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    if source.len() > 100 || !source.bytes().all(word) {
        let reason = format!("the source of a prompt names a place: {}", shorten(source));
        return Err(AppError::refused("version.source", reason));
    }
    Ok(())
}

/// Whether a request is for a version of a prompt.
pub(crate) fn is_prompt(tags: &[Pair]) -> bool {
    tags.iter().any(|tag| tag.key == PROMPT_TAG)
}

/// Adds a version to the tag that says which versions were made of a logged model, in the form that clients read.
pub(super) fn note_version(tx: &mut dyn Transaction, model: &str, version: &ModelVersion) -> Result<(), AppError> {
    let Some(found) = tx.logged_model(model)? else { return Ok(()) };
    let known = found.tags.iter().find(|tag| tag.key == VERSIONS_TAG).map(|tag| tag.value.as_str());
    let name = serde_json::to_string(&version.name).map_err(|error| AppError::internal("a name is no text", error))?;
    let one = format!("{{\"name\": {name}, \"version\": {}}}", version.version);
    let text = match known.and_then(|known| known.strip_suffix(']')) {
        Some(known) if known.len() > 1 => format!("{known}, {one}]"),
        _ => format!("[{one}]"),
    };
    // The registry has them all; the tag is for people, and bounded.
    if text.len() <= LONGEST_TAG {
        tx.set_logged_model_tags(model, &[Pair::new(VERSIONS_TAG, text)], version.created)?;
    }
    Ok(())
}

/// Only what names another place, in one spelling. Local paths are refused whatever they are beside: a server that
/// resolved them later would read its own files.
fn check_elsewhere(source: &str) -> Result<(), AppError> {
    let refuse = |why: &str| {
        let shown = shorten(source);
        AppError::refused("version.source", format!("Invalid model version source: '{shown}'. {why}"))
    };
    if source.len() > MOST_CHARACTERS || source.chars().any(char::is_control) {
        return Err(refuse("It is too long or holds control characters."));
    }
    let scheme = source.split_once(':').map(|(scheme, _)| scheme).filter(|scheme| {
        scheme.len() > 1
            && scheme.starts_with(|first: char| first.is_ascii_alphabetic())
            && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+.-".contains(&byte))
    });
    if scheme.is_none_or(|scheme| scheme.eq_ignore_ascii_case("file")) {
        return Err(refuse("To use a local path as a model version source is not possible; upload the model first."));
    }
    let mut decoded = source.to_owned();
    for _ in 0..4 {
        let odd = decoded.contains(['\\', '?', '#']) || decoded.chars().any(char::is_control);
        if odd || decoded.split('/').any(|step| matches!(step, "." | "..")) {
            return Err(refuse(
                "If supplying a source as an http, https, ftp or object store URI, it must hold no relative path and \
                 no character that could hide one.",
            ));
        }
        let again = percent_decode_str(&decoded).decode_utf8().map_err(|_| refuse("It is not UTF-8."))?.into_owned();
        if again == decoded {
            return Ok(());
        }
        decoded = again;
    }
    Err(refuse("It is encoded too often."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_other_places_are_noted() {
        for source in [
            "s3://bucket/model",
            "mlflow-artifacts:/models",
            "mlflow-artifacts:/models///",
            "mlflow-artifacts://host:9000/models/artifact/..../",
            "runs:/run_id/model",
            "dbfs:/a%20b",
            "https://host/x",
        ] {
            assert!(check_elsewhere(source).is_ok(), "{source}");
        }
        for source in [
            "",
            "path/to/model",
            "/etc/passwd",
            "./x",
            "file:///etc/passwd",
            "FILE:/etc/passwd",
            "C:/windows",
            ":/x",
            "1s3:/x",
            "s3://bucket/../x",
            "s3://bucket/%2e%2e/x",
            "s3://bucket/%252e%252e/x",
            "mlflow-artifacts://host:9000/models/..%2f..%2fartifacts",
            "mlflow-artifacts://host:9000/models/artifact%00",
            "dbfs:/x/a%3f/../..",
            "s3://bucket/a%3fb",
            "s3://bucket/a#b",
            "s3://bucket\\x",
            "s3://bucket/%ff",
            "s3://bucket/a\nb",
        ] {
            assert!(check_elsewhere(source).is_err(), "{source}");
        }
    }
}
