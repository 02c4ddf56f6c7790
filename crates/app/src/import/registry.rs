use sealyard_ledger::{Act, Outcome};
use sealyard_store::import::{DELETED_STAGE, SourceRegisteredModel, SourceVersion};
use sealyard_store::model::{ArtifactOwner, LoggedModelStatus, NewModelVersion, NewVersionRecord};

use super::progress::Place;
use super::{Import, PAGE};
use crate::AppError;
use crate::registry::{check_prompt_source, is_prompt, no_files};

/// Where a version's files are, here.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Origin {
    owner: ArtifactOwner,
    path: String,
}

impl Import {
    pub(super) fn registry(&mut self) -> Result<(), AppError> {
        let mut count = 0;
        loop {
            let models = self.source.registered_models(&self.place.after, PAGE)?;
            if models.is_empty() {
                return self.next_phase();
            }
            for model in models {
                if self.stopped() {
                    return Ok(());
                }
                count += 1;
                self.say(&format!("registered models: {count}"));
                self.registered_model(&model)?;
            }
        }
    }

    fn registered_model(&mut self, model: &SourceRegisteredModel) -> Result<(), AppError> {
        let name = model.name.clone();
        let mut place = self.place.clone();
        if let Err(error) = sealyard_identity::ModelName::new(name.as_str()) {
            place.refuse(&format!("models:/{name}"), "model.name", error.to_string());
            let place = place.at(name);
            return self.write(place, |_| Ok(()));
        }
        let wanted = name.clone();
        if self.read(move |tx| Ok(tx.registered_model(&wanted)?))?.is_none() {
            let made = model.clone();
            let event = self.event(Act::RegisteredModelCreated { name: name.clone() });
            self.write(self.place.clone(), move |tx| {
                tx.create_registered_model(&made.name, &made.description, &made.tags, "system", made.created)?;
                Ok(tx.record(&event)?)
            })?;
        }
        for version in self.source.versions(&name)? {
            if self.stopped() {
                return Ok(());
            }
            self.version(model, version, &mut place)?;
        }
        let mut aliases = Vec::new();
        for (alias, version) in &model.aliases {
            let (wanted, number) = (name.clone(), *version);
            if self.app.is_protected_alias(alias) {
                let reason =
                    format!("the policy protects it; `sealyard promote` sets it once version {version} is published");
                place.refuse(&format!("models:/{name}@{alias}"), "alias.protected", reason);
            } else if self.read(move |tx| Ok(tx.model_version(&wanted, number)?))?.is_none() {
                place.refuse(
                    &format!("models:/{name}@{alias}"),
                    "alias.version",
                    format!("version {version} was not taken in"),
                );
            } else {
                aliases.push((alias.clone(), *version));
            }
        }
        let events: Vec<_> = aliases
            .iter()
            .map(|(alias, version)| {
                self.event(Act::AliasSet { name: name.clone(), alias: alias.clone(), version: *version })
            })
            .collect();
        let (description, updated) = (model.description.clone(), model.updated);
        let place = place.at(name.clone());
        self.write(place, move |tx| {
            for ((alias, version), event) in aliases.iter().zip(&events) {
                tx.set_alias(&name, alias, *version, updated)?;
                tx.record(event)?;
            }
            tx.describe_registered_model(&name, &description, updated)?;
            Ok(())
        })
    }

    /// One version under its own number, or a refusal. A number that is not taken in is never given to another version.
    fn version(
        &mut self,
        model: &SourceRegisteredModel,
        version: SourceVersion,
        place: &mut Place,
    ) -> Result<(), AppError> {
        let (name, number) = (model.name.as_str(), version.version);
        let wanted = name.to_owned();
        if self.read(move |tx| Ok(tx.model_version(&wanted, number)?))?.is_some() {
            return Ok(());
        }
        let refusal = if version.stage == DELETED_STAGE {
            None
        } else {
            let made = if is_prompt(&version.tags) {
                self.make_prompt(model, &version)
            } else {
                self.make_version(name, &version)
            };
            match made {
                Ok(()) => return Ok(()),
                Err(AppError::Refused { rule, reason }) => Some((rule, reason)),
                Err(error) => return Err(error),
            }
        };
        let event = refusal.as_ref().map(|(rule, reason)| {
            let act = Act::VersionRefused {
                name: name.to_owned(),
                version_source: version.source.chars().filter(|character| !character.is_control()).take(120).collect(),
                rule: rule.clone(),
                reason: reason.clone(),
            };
            self.app.event(&self.caller, Outcome::Refused, act)
        });
        if let Some((rule, reason)) = refusal {
            place.refuse(&format!("models:/{name}/{number}"), rule, reason);
        }
        let name = name.to_owned();
        // The model is not done yet, so the note stays where it was; what was refused is kept.
        let kept = place.clone();
        place.refused.clear();
        self.write(kept, move |tx| {
            tx.reserve_versions(&name, number)?;
            if let Some(event) = event {
                tx.record(&event)?;
            }
            Ok(())
        })
    }

    /// A version of a prompt: its text is in its tags, and it has no files.
    fn make_prompt(&mut self, model: &SourceRegisteredModel, version: &SourceVersion) -> Result<(), AppError> {
        check_prompt_source(&version.source)?;
        if !is_prompt(&model.tags) {
            return Err(AppError::refused("version.source", "a version of a model is no prompt"));
        }
        let (name, number) = (model.name.clone(), version.version);
        let act = Act::VersionRecorded {
            name: name.clone(),
            version: number,
            version_source: version.source.chars().take(120).collect(),
        };
        let event = self.event(act);
        let new = NewVersionRecord {
            name: name.clone(),
            description: version.description.clone(),
            placeholder: no_files(&version.source),
            source: version.source.clone(),
            run_id: version.run_id.clone(),
            model_id: None,
            created: version.created,
            created_by: version.user.clone(),
            tags: version.tags.clone(),
            location: None,
        };
        let (stage, updated) = (version.stage.clone(), version.updated);
        self.write(self.place.clone(), move |tx| {
            tx.reserve_versions(&name, number.saturating_sub(1))?;
            let made = tx.record_model_version(&new)?;
            if made.version != number {
                return Err(AppError::Conflict(format!("version {number} of {name:?} is used up")));
            }
            let stage = if stage.is_empty() { "None" } else { stage.as_str() };
            tx.set_model_version_stage(&name, number, stage, updated)?;
            Ok(tx.record(&event)?)
        })
    }

    fn make_version(&mut self, name: &str, version: &SourceVersion) -> Result<(), AppError> {
        let origin = version.storage.iter().chain([&version.source]).find_map(|text| origin(text));
        let refuse = |reason: &str| AppError::refused("version.source", reason);
        let Origin { owner, path } = origin.ok_or_else(|| refuse("its files are on another server, or it has none"))?;
        let (asked, below) = (owner.clone(), path.clone());
        let found = self.read(move |tx| {
            Ok(match &asked {
                ArtifactOwner::Run(id) => tx.experiment_of_run(id)?.map(|experiment| (experiment, true)),
                ArtifactOwner::LoggedModel(id) => {
                    tx.logged_model(id)?.map(|model| (model.experiment_id, model.status == LoggedModelStatus::Ready))
                }
                // A trace's files are no model.
                ArtifactOwner::Trace(_) | ArtifactOwner::Loose => None,
            }
            .map(|found| (found, tx.artifacts_below(&asked, &below))))
        })?;
        let Some(((experiment_id, ready), artifacts)) = found else {
            return Err(refuse("the run or logged model that it came from is not there"));
        };
        if !ready {
            return Err(refuse("the logged model that it came from was not taken in as ready"));
        }
        let collected = self.handle.block_on(self.app.collect(format!("models:/{name}"), &path, artifacts?))?;
        let source = match &owner {
            ArtifactOwner::LoggedModel(id) => format!("models:/{id}"),
            ArtifactOwner::Run(id) => format!("mlflow-artifacts:/{experiment_id}/{id}/artifacts/{path}"),
            ArtifactOwner::Trace(_) | ArtifactOwner::Loose => {
                return Err(refuse("only files of runs and logged models are a model"));
            }
        };
        let model_id = if let ArtifactOwner::LoggedModel(id) = &owner { Some(id.clone()) } else { None };
        let digest = collected.tree.digest();
        let verdict = collected.verdict.to_string();
        let number = version.version;
        let event = self.event(Act::VersionCreated { name: name.to_owned(), version: number, digest, verdict });
        let new = NewModelVersion {
            name: name.to_owned(),
            description: version.description.clone(),
            source,
            run_id: version.run_id.clone(),
            model_id,
            experiment_id,
            created: version.created,
            created_by: version.user.clone(),
            tags: version.tags.clone(),
            tree: collected.tree,
            files: collected.files,
            verdict: collected.verdict,
            location: None,
        };
        let key_used = self.event(self.app.scanner_signed(&collected.scan));
        let (scan, stage, updated) = (collected.scan, version.stage.clone(), version.updated);
        let name = name.to_owned();
        self.write(self.place.clone(), move |tx| {
            tx.reserve_versions(&name, number.saturating_sub(1))?;
            let made = tx.create_model_version(&new)?;
            if made.version != number {
                return Err(AppError::Conflict(format!("version {number} of {name:?} is used up")));
            }
            let stage = if stage.is_empty() { "None" } else { stage.as_str() };
            tx.set_model_version_stage(&name, number, stage, updated)?;
            tx.add_evidence(&scan)?;
            tx.record(&key_used)?;
            Ok(tx.record(&event)?)
        })
    }
}

/// What an artifact URI of MLflow's names, wherever its root was.
fn origin(uri: &str) -> Option<Origin> {
    if let Some(id) = uri.strip_prefix("models:/") {
        let owner = ArtifactOwner::LoggedModel(id.to_owned());
        return (id.starts_with("m-") && !id.contains('/')).then(|| Origin { owner, path: String::new() });
    }
    if let Some(rest) = uri.strip_prefix("runs:/") {
        let (run, path) = rest.split_once('/').unwrap_or((rest, ""));
        return Some(Origin { owner: ArtifactOwner::Run(run.to_owned()), path: path.trim_matches('/').to_owned() });
    }
    let parts: Vec<&str> = uri.split('/').collect();
    let at = parts.iter().position(|part| *part == "artifacts").filter(|at| *at > 0)?;
    let id = *parts.get(at - 1)?;
    let path = parts.get(at + 1..)?.join("/").trim_matches('/').to_owned();
    let of_model = at >= 2 && parts.get(at - 2) == Some(&"models") && id.starts_with("m-");
    let of_run = id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    match (of_model, of_run) {
        (true, _) => Some(Origin { owner: ArtifactOwner::LoggedModel(id.to_owned()), path }),
        (false, true) => Some(Origin { owner: ArtifactOwner::Run(id.to_owned()), path }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_found_wherever_the_root_was() {
        let run = "0123456789abcdef0123456789abcdef";
        let of_run = |path: &str| Some(Origin { owner: ArtifactOwner::Run(run.into()), path: path.into() });
        for root in ["mlflow-artifacts:", "/srv/mlruns", "file:///srv/mlruns", "s3://bucket/x"] {
            assert_eq!(origin(&format!("{root}/1/{run}/artifacts/model")), of_run("model"), "{root}");
            let model = Origin { owner: ArtifactOwner::LoggedModel("m-1".into()), path: String::new() };
            assert_eq!(origin(&format!("{root}/1/models/m-1/artifacts/")), Some(model), "{root}");
        }
        assert_eq!(origin(&format!("runs:/{run}/a/b")), of_run("a/b"));
        assert!(origin("models:/m-1").is_some());
        for other in
            ["models:/fraud/1", "models:/m-1/x", "/etc/passwd", "artifacts", "s3://b/artifacts/x", "", "/x/artifacts/y"]
        {
            assert_eq!(origin(other), None, "{other}");
        }
    }
}
