use sealyard_core::TreePath;
use sealyard_identity::ModelName;
use sealyard_store::model::ArtifactOwner;

use crate::AppError;

/// Longer sources are nobody's.
const MOST_CHARACTERS: usize = 2048;

/// What a source URI names on this server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Source {
    pub(super) owner: ArtifactOwner,
    /// Empty is the owner's artifact root.
    pub(super) path: String,
    /// The experiment that the URI names beside the owner.
    pub(super) experiment: Option<String>,
}

/// The registered version that `models:/<name>/<number>` names. Nothing else is one: an alias would come to mean another
/// version.
pub(super) fn version_of(text: &str) -> Option<(ModelName, u32)> {
    let (name, number) = text.strip_prefix("models:/")?.rsplit_once('/')?;
    let canonical = !number.starts_with('0') && number.bytes().all(|byte| byte.is_ascii_digit());
    let number = if canonical { number.parse().ok()? } else { return None };
    Some((ModelName::new(name).ok()?, number))
}

impl Source {
    /// Anything that is not an artifact of this server is refused: a version never makes the server read a local file,
    /// another host or another user's run behind the authorizer's back.
    pub(super) fn parse(text: &str) -> Result<Self, AppError> {
        let refuse = |why: &str| AppError::refused("version.source", format!("{why}: {}", shorten(text)));
        if text.len() > MOST_CHARACTERS {
            return Err(refuse("the source is too long"));
        }
        if text.contains(['?', '#', '%', '\\']) || text.chars().any(char::is_control) {
            return Err(refuse("the source holds a character that could hide a path"));
        }
        let (owner, path, experiment) = if let Some(rest) = text.strip_prefix("models:/") {
            let id = rest.trim_matches('/');
            if !id.starts_with("m-") || id.contains('/') {
                return Err(refuse("the source names no logged model"));
            }
            (ArtifactOwner::LoggedModel(id.to_owned()), String::new(), None)
        } else if let Some(rest) = text.strip_prefix("runs:/") {
            let (run, path) = rest.split_once('/').unwrap_or((rest, ""));
            (ArtifactOwner::Run(run.to_owned()), path.to_owned(), None)
        } else if let Some(rest) = text.strip_prefix("mlflow-artifacts:/") {
            // `mlflow-artifacts://host/…` is another server's: its first part is empty here.
            let parts: Vec<&str> = rest.trim_end_matches('/').split('/').collect();
            let (experiment, owner, path) = match parts.as_slice() {
                [experiment, "models", model, "artifacts", path @ ..] => {
                    (*experiment, ArtifactOwner::LoggedModel((*model).to_owned()), path.join("/"))
                }
                [experiment, run, "artifacts", path @ ..] => {
                    (*experiment, ArtifactOwner::Run((*run).to_owned()), path.join("/"))
                }
                _ => return Err(refuse("the source names no artifact of this server")),
            };
            (owner, path, Some(experiment.to_owned()))
        } else {
            return Err(refuse("the source is not on this server; upload the model first"));
        };
        let path = path.trim_matches('/').to_owned();
        if !path.is_empty() {
            TreePath::new(&path).map_err(|error| AppError::refused("artifact.path", error.to_string()))?;
        }
        Ok(Self { owner, path, experiment })
    }
}

pub(super) fn shorten(text: &str) -> String {
    text.chars().filter(|character| !character.is_control()).take(120).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_elsewhere_are_refused() {
        let long = format!("runs:/abc/{}", "a/".repeat(2000));
        let refused = [
            "file:///etc/passwd",
            "/etc/passwd",
            "s3://bucket/x",
            "http://127.0.0.1/x",
            "models:/diabetes/1",
            "models:/m-1/../m-2",
            "runs:/abc/../../x",
            "mlflow-artifacts:/1/abc/artifacts/../../x",
            "mlflow-artifacts://elsewhere/1/abc/artifacts/x",
            "mlflow-artifacts:1/abc/artifacts/x",
            "runs:/abc/a%2fb",
            "mlflow-artifacts:/x",
            "mlflow-artifacts:/1/abc/artifacts/x?y",
            "",
            "runs:/abc/..\\x",
            "models:/m-1#/x",
            &long,
        ];
        for source in refused {
            assert!(Source::parse(source).is_err(), "{source}");
        }
    }

    #[test]
    fn versions_have_one_spelling() {
        assert_eq!(version_of("models:/fraud/3").unwrap().1, 3);
        for source in ["models:/fraud", "models:/fraud/03", "models:/fraud/+3", "models:/fraud/0", "models:/fraud@x"] {
            assert!(version_of(source).is_none(), "{source}");
        }
        for source in ["models:/fraud/Production", "models:/fraud/", "models://3", "s3://models:/fraud/3"] {
            assert!(version_of(source).is_none(), "{source}");
        }
    }

    #[test]
    fn sources_of_this_server_are_understood() {
        let run = |path: &str| Source { owner: ArtifactOwner::Run("abc".into()), path: path.into(), experiment: None };
        assert_eq!(Source::parse("runs:/abc/model").unwrap(), run("model"));
        assert_eq!(Source::parse("runs:/abc").unwrap(), run(""));
        let named = Source { experiment: Some("1".into()), ..run("model") };
        assert_eq!(Source::parse("mlflow-artifacts:/1/abc/artifacts/model").unwrap(), named);
        let owner = ArtifactOwner::LoggedModel("m-1".into());
        let model = Source { owner, path: String::new(), experiment: None };
        assert_eq!(Source::parse("models:/m-1").unwrap(), model);
        let named = Source { experiment: Some("1".into()), ..model };
        assert_eq!(Source::parse("mlflow-artifacts:/1/models/m-1/artifacts").unwrap(), named);
    }
}
