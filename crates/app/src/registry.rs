//! Versions and aliases.

use sealyard_core::{TreePath, Verdict};
use sealyard_gate::Stage;
use sealyard_identity::{Authorized, Edit, ExperimentId, ModelName, Promote, Read};
use sealyard_ledger::{Act, Outcome};
use sealyard_store::model::{ArtifactOwner, LoggedModelStatus, ModelVersion, NewModelVersion, Pair};

use crate::{App, AppError, Caller};

/// A version to be made.
#[derive(Debug, Clone)]
pub struct CreateVersion {
    /// Where its files are: `models:/m-…`, `runs:/<run>/<path>` or an `mlflow-artifacts:` URI of this server.
    pub source: String,
    /// The run it came from, as the client says.
    pub run_id: Option<String>,
    /// The logged model it came from, as the client says.
    pub model_id: Option<String>,
    /// For people.
    pub description: String,
    /// Tags.
    pub tags: Vec<Pair>,
}

/// What a source URI names on this server.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Source {
    owner: ArtifactOwner,
    /// Empty is the owner's artifact root.
    path: String,
}

impl Source {
    /// Anything that is not an artifact of this server is refused: a version never makes the server read a local file,
    /// another host or another user's run behind the authorizer's back.
    fn parse(text: &str) -> Result<Self, AppError> {
        let refuse = |why: &str| AppError::refused("version.source", format!("{why}: {}", shorten(text)));
        if text.contains(['?', '#', '%', '\\']) || text.chars().any(char::is_control) {
            return Err(refuse("the source holds a character that could hide a path"));
        }
        let (owner, path) = if let Some(rest) = text.strip_prefix("models:/") {
            let id = rest.trim_matches('/');
            if !id.starts_with("m-") || id.contains('/') {
                return Err(refuse("the source names no logged model"));
            }
            (ArtifactOwner::LoggedModel(id.to_owned()), String::new())
        } else if let Some(rest) = text.strip_prefix("runs:/") {
            let (run, path) = rest.trim_start_matches('/').split_once('/').unwrap_or((rest, ""));
            (ArtifactOwner::Run(run.to_owned()), path.to_owned())
        } else if let Some(rest) = text.strip_prefix("mlflow-artifacts:") {
            let parts: Vec<&str> = rest.trim_matches('/').split('/').collect();
            match parts.as_slice() {
                [_, "models", model, "artifacts", path @ ..] => {
                    (ArtifactOwner::LoggedModel((*model).to_owned()), path.join("/"))
                }
                [_, run, "artifacts", path @ ..] => (ArtifactOwner::Run((*run).to_owned()), path.join("/")),
                _ => return Err(refuse("the source names no artifact of this server")),
            }
        } else {
            return Err(refuse("the source is not on this server; upload the model first"));
        };
        let path = path.trim_matches('/').to_owned();
        if !path.is_empty() {
            TreePath::new(&path).map_err(|error| AppError::refused("artifact.path", error.to_string()))?;
        }
        Ok(Self { owner, path })
    }
}

fn shorten(text: &str) -> String {
    text.chars().filter(|character| !character.is_control()).take(120).collect()
}

impl App {
    /// Registers a version: its files are frozen and scanned as a whole. Registering is not publishing.
    ///
    /// # Errors
    /// [`AppError::Refused`] for a source elsewhere, an empty or an unsafe folder; [`AppError::Denied`] when the caller may
    /// not read the source.
    pub async fn create_version(
        &self,
        caller: &Caller,
        authorized: &Authorized<Edit, ModelName>,
        request: CreateVersion,
    ) -> Result<ModelVersion, AppError> {
        let name = authorized.resource().as_str().to_owned();
        match self.make_version(caller, &name, request.clone()).await {
            Err(AppError::Refused { rule, reason }) => {
                let act = Act::VersionRefused {
                    name,
                    source: shorten(&request.source),
                    rule: rule.clone(),
                    reason: reason.clone(),
                };
                self.record(self.event(caller, Outcome::Refused, act)).await?;
                Err(AppError::Refused { rule, reason })
            }
            result => result,
        }
    }

    async fn make_version(
        &self,
        caller: &Caller,
        name: &str,
        request: CreateVersion,
    ) -> Result<ModelVersion, AppError> {
        let Source { owner, path } = Source::parse(&request.source)?;
        let unknown = || AppError::refused("version.source", "the source does not exist or may not be read");
        let experiment = self.experiment_of(&owner).await?.ok_or_else(unknown)?;
        let id = ExperimentId::new(experiment.clone()).map_err(|_| unknown())?;
        let _may_read = self.authorize(caller, Read, id).await?;
        let (wanted, below) = (owner.clone(), path.clone());
        let (artifacts, logged, registered) = {
            let name = name.to_owned();
            self.store()
                .read(move |tx| {
                    let logged = match &wanted {
                        ArtifactOwner::LoggedModel(id) => tx.logged_model(id)?,
                        ArtifactOwner::Run(_) => None,
                    };
                    let artifacts = tx.artifacts_below(&wanted, &below)?;
                    Ok::<_, AppError>((artifacts, logged, tx.registered_model(&name)?))
                })
                .await?
        };
        if registered.is_none() {
            return Err(AppError::NotFound { kind: "registered model", id: name.to_owned() });
        }
        if logged.is_some_and(|model| model.status != LoggedModelStatus::Ready) {
            return Err(AppError::refused("version.source", "the logged model is not finalised"));
        }
        let collected = self.collect(format!("models:/{name}"), &path, artifacts).await?;
        let digest = collected.tree.digest();
        let new = NewModelVersion {
            name: name.to_owned(),
            description: request.description,
            source: request.source,
            run_id: request.run_id,
            model_id: match owner {
                ArtifactOwner::LoggedModel(id) => Some(id),
                ArtifactOwner::Run(_) => request.model_id,
            },
            experiment_id: experiment,
            created: self.now(),
            created_by: caller.actor().to_owned(),
            tags: request.tags,
            tree: collected.tree,
            files: collected.files,
            verdict: collected.verdict,
        };
        let scan = collected.scan;
        let event = self.event(
            caller,
            Outcome::Done,
            Act::VersionCreated { name: name.to_owned(), version: 0, digest, verdict: new.verdict.to_string() },
        );
        let version = self
            .store()
            .write(move |tx| {
                for file in &new.files {
                    // An object that was replaced and removed since it was scanned must not become a version's file.
                    if !tx.object_is_referenced(&file.object)? {
                        return Err(AppError::Conflict("files were replaced while the version was being made".into()));
                    }
                }
                let made = tx.create_model_version(&new)?;
                tx.add_evidence(&scan)?;
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

    /// Points `alias` at a version. An alias that the policy protects takes the right to promote, and the publish gate
    /// is asked again over the evidence there is now.
    ///
    /// # Errors
    /// [`AppError::Denied`], [`AppError::GateDenied`], [`AppError::NotFound`].
    pub async fn set_alias(
        &self,
        caller: &Caller,
        name: ModelName,
        alias: String,
        version: u32,
    ) -> Result<(), AppError> {
        check_alias(&alias)?;
        if self.is_protected_alias(&alias) {
            let promote = self.authorize(caller, Promote, name.clone()).await?;
            let outcome = self.check_gate(caller, promote.resource(), version, Stage::Publish, None, true).await?;
            if !outcome.decision.allowed() {
                return Err(AppError::GateDenied(Box::new(outcome.decision)));
            }
            if outcome.published.is_none() {
                return Err(AppError::refused(
                    "alias.unpublished",
                    format!("the alias {alias:?} is protected and version {version} is not published"),
                ));
            }
        } else {
            let _may_edit = self.authorize(caller, Edit, name.clone()).await?;
        }
        let now = self.now();
        let act = Act::AliasSet { name: name.to_string(), alias: alias.clone(), version };
        let event = self.event(caller, Outcome::Done, act);
        self.store()
            .write(move |tx| {
                let found = tx.model_version(name.as_str(), version)?;
                match found {
                    None => {
                        return Err(AppError::NotFound { kind: "model version", id: format!("{name}/{version}") });
                    }
                    Some(found) if found.verdict == Verdict::Unsafe => {
                        return Err(AppError::refused("artifact.verdict", "the version was found to be unsafe"));
                    }
                    Some(_) => {}
                }
                tx.set_alias(name.as_str(), &alias, version, now)?;
                Ok(tx.record(&event)?)
            })
            .await?;
        self.sequencer.notify();
        Ok(())
    }

    /// Takes an alias away; a protected one takes the right to promote.
    ///
    /// # Errors
    /// [`AppError::Denied`], [`AppError::NotFound`].
    pub async fn delete_alias(&self, caller: &Caller, name: ModelName, alias: String) -> Result<(), AppError> {
        if self.is_protected_alias(&alias) {
            let _may_promote = self.authorize(caller, Promote, name.clone()).await?;
        } else {
            let _may_edit = self.authorize(caller, Edit, name.clone()).await?;
        }
        let act = Act::AliasDeleted { name: name.to_string(), alias: alias.clone() };
        let event = self.event(caller, Outcome::Done, act);
        self.store()
            .write(move |tx| {
                tx.delete_alias(name.as_str(), &alias)?;
                Ok::<_, AppError>(tx.record(&event)?)
            })
            .await?;
        self.sequencer.notify();
        Ok(())
    }

    /// Whether the policy protects the alias.
    #[must_use]
    pub fn is_protected_alias(&self, alias: &str) -> bool {
        self.policy.as_ref().is_some_and(|loaded| loaded.policy.is_protected_alias(alias))
    }
}

/// MLflow's rules for an alias: it must not look like a version.
fn check_alias(alias: &str) -> Result<(), AppError> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    let like_a_version =
        alias.strip_prefix(['v', 'V']).is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_digit()));
    if alias.is_empty() || alias.len() > 255 || !alias.bytes().all(plain) || like_a_version || alias == "latest" {
        return Err(AppError::Invalid(format!("Invalid alias name: '{}'", shorten(alias))));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_elsewhere_are_refused() {
        let refused = [
            "file:///etc/passwd",
            "/etc/passwd",
            "s3://bucket/x",
            "http://127.0.0.1/x",
            "models:/diabetes/1",
            "models:/m-1/../m-2",
            "runs:/abc/../../x",
            "mlflow-artifacts:/1/abc/artifacts/../../x",
            "runs:/abc/a%2fb",
            "mlflow-artifacts:/x",
            "mlflow-artifacts:/1/abc/artifacts/x?y",
            "",
            "runs:/abc/..\\x",
            "models:/m-1#/x",
        ];
        for source in refused {
            assert!(Source::parse(source).is_err(), "{source}");
        }
    }

    #[test]
    fn sources_of_this_server_are_understood() {
        let run = |path: &str| Source { owner: ArtifactOwner::Run("abc".into()), path: path.into() };
        assert_eq!(Source::parse("runs:/abc/model").unwrap(), run("model"));
        assert_eq!(Source::parse("mlflow-artifacts:/1/abc/artifacts/model").unwrap(), run("model"));
        let model = Source { owner: ArtifactOwner::LoggedModel("m-1".into()), path: String::new() };
        assert_eq!(Source::parse("models:/m-1").unwrap(), model);
        assert_eq!(Source::parse("mlflow-artifacts:/1/models/m-1/artifacts").unwrap(), model);
    }

    #[test]
    fn aliases_that_look_like_versions_are_refused() {
        for alias in ["", "v1", "V2", "latest", "a b", "a/b"] {
            assert!(check_alias(alias).is_err(), "{alias}");
        }
        assert!(check_alias("champion").is_ok() && check_alias("v").is_ok());
    }
}
