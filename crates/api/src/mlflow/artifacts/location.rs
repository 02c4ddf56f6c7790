//! Which artifact a URI names.
//!
//! The path is taken as it was sent, decoded exactly once, and must then be a [`TreePath`]. Nothing is normalised away:
//! a path that steps up is refused where a router would quietly have made another one of it.

use axum::extract::{Request, State};
use percent_encoding::percent_decode_str;
use sealyard_app::{App, AppError, Caller};
use sealyard_core::TreePath;
use sealyard_store::model::ArtifactOwner;

use crate::http::{ApiError, ApiState, ErrorCode, Identified};

/// What a path of the proxy names: `<experiment>/<run>/artifacts/<rest>`,
/// `<experiment>/models/<model>/artifacts/<rest>` or `<experiment>/traces/<trace>/artifacts/<rest>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Location {
    pub(super) experiment: String,
    pub(super) owner: ArtifactOwner,
    /// `None` is the owner's artifact root.
    pub(super) path: Option<TreePath>,
}

/// Decodes the escapes of `raw` once. A `%` that is left over and would decode to a separator, a dot, a control character
/// or another `%` is refused: something behind us might decode again.
pub(crate) fn decode_path(raw: &str) -> Result<TreePath, String> {
    let mut rest = raw;
    while let Some(at) = rest.find('%') {
        let escape = rest.get(at + 1..at + 3).unwrap_or_default();
        if escape.len() != 2 || !escape.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err("it holds a % that escapes nothing".to_owned());
        }
        rest = rest.get(at + 3..).unwrap_or_default();
    }
    let decoded = percent_decode_str(raw).decode_utf8().map_err(|_| "it is not UTF-8".to_owned())?;
    plain(&decoded)
}

/// A decoded path that is a plain relative one, and would still be if something decoded it again.
fn plain(decoded: &str) -> Result<TreePath, String> {
    let again: Vec<u8> = percent_decode_str(decoded).collect();
    if again != decoded.as_bytes() {
        let dangerous = |text: &str| text.bytes().filter(|byte| b"/\\.%\0".contains(byte)).count();
        let hidden = String::from_utf8_lossy(&again);
        if dangerous(&hidden) >= dangerous(decoded) || hidden.chars().any(char::is_control) {
            return Err("it is encoded twice".to_owned());
        }
    }
    TreePath::new(decoded).map_err(|error| error.to_string())
}

/// Checks a path that was decoded already; a refusal goes into the ledger.
pub(super) async fn check(app: &App, caller: &Caller, decoded: &str) -> Result<TreePath, ApiError> {
    match plain(decoded) {
        Ok(path) => Ok(path),
        Err(reason) => Err(app.refuse_artifact_path(caller, decoded, &reason).await.into()),
    }
}

/// Like [`check`], with MLflow's words for a refusal: its pages and tests look for just these.
pub(super) async fn check_for_pages(app: &App, caller: &Caller, decoded: &str) -> Result<TreePath, ApiError> {
    match plain(decoded) {
        Ok(path) => Ok(path),
        Err(reason) => Err(match app.refuse_artifact_path(caller, decoded, &reason).await {
            AppError::Refused { rule, .. } => {
                ApiError::named(ErrorCode::InvalidParameterValue, &rule, "Invalid path".to_owned())
            }
            error => error.into(),
        }),
    }
}

impl Location {
    /// What the URI of a request to the proxy names.
    pub(super) async fn of_uri(app: &App, caller: &Caller, uri: &http::Uri) -> Result<Self, ApiError> {
        Self::below(app, caller, uri, "/mlflow-artifacts/artifacts/").await
    }

    /// The folder, or an owner's root, that the URI of a request for an upload in parts names.
    pub(super) async fn of_folder(app: &App, caller: &Caller, uri: &http::Uri, act: &str) -> Result<Self, ApiError> {
        Self::below(app, caller, uri, &format!("/mlflow-artifacts/mpu/{act}/")).await
    }

    async fn below(app: &App, caller: &Caller, uri: &http::Uri, marker: &str) -> Result<Self, ApiError> {
        let raw = uri.path().split_once(marker).map_or("", |(_, raw)| raw);
        let found = decode_path(raw).and_then(|path| Self::parse(&path));
        match found {
            Ok(location) => Ok(location),
            Err(reason) => Err(app.refuse_artifact_path(caller, raw, &reason).await.into()),
        }
    }

    /// What a `path` parameter names.
    pub(super) async fn of_parameter(app: &App, caller: &Caller, decoded: &str) -> Result<Self, ApiError> {
        let path = check(app, caller, decoded.strip_suffix('/').unwrap_or(decoded)).await?;
        match Self::parse(&path) {
            Ok(location) => Ok(location),
            Err(reason) => Err(app.refuse_artifact_path(caller, decoded, &reason).await.into()),
        }
    }

    fn parse(path: &TreePath) -> Result<Self, String> {
        let parts: Vec<&str> = path.as_str().split('/').collect();
        let (experiment, owner, rest) = match parts.as_slice() {
            [experiment, "models", model, "artifacts", rest @ ..] => {
                (experiment, ArtifactOwner::LoggedModel((*model).to_owned()), rest)
            }
            [experiment, "traces", trace, "artifacts", rest @ ..] => {
                (experiment, ArtifactOwner::Trace((*trace).to_owned()), rest)
            }
            [experiment, run, "artifacts", rest @ ..] => (experiment, ArtifactOwner::Run((*run).to_owned()), rest),
            _ => {
                return Err(
                    "it is none of <experiment>/<run>/artifacts/…, <experiment>/models/<model>/artifacts/… and \
                            <experiment>/traces/<trace>/artifacts/…"
                        .to_owned(),
                );
            }
        };
        let path = match rest {
            [] => None,
            rest => Some(TreePath::new(&rest.join("/")).map_err(|error| error.to_string())?),
        };
        Ok(Self { experiment: (*experiment).to_owned(), owner, path })
    }

    /// The path, which must be there.
    pub(super) fn file(&self) -> Result<&TreePath, ApiError> {
        self.path.as_ref().ok_or_else(|| ApiError::invalid("refused by artifact.path: it names no file"))
    }
}

/// The proxy's root with a slash behind it: no artifact.
pub(super) async fn empty(State(state): State<ApiState>, Identified(caller): Identified, _: Request) -> ApiError {
    state.app().refuse_artifact_path(&caller, "", "it is empty").await.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_decoded_once_and_must_be_plain() {
        for raw in [
            "..",
            "1/../2",
            "%2e%2e/x",
            "1/%2e%2e/x",
            "1/..%2fx",
            "1/%2E%2E%2Fetc%2Fpasswd",
            "%252e%252e%252f",
            "1/%252e%252e/x",
            "1/a%252fb",
            "1/a%255cb",
            "1/%25252e",
            "/etc/passwd",
            "%2fetc/passwd",
            "1//x",
            "1/a%5c..%5cb",
            "1/a\\b",
            "1/%00",
            "1/a%0ab",
            "1/%2500",
            "1/./x",
            "1/",
            "",
            ".",
            "1/%ff",
            "1/%zz",
            "1/%",
            "1/%c0%ae%c0%ae/x",
        ] {
            assert!(decode_path(raw).is_err(), "{raw:?} was accepted");
        }
        for (raw, decoded) in [
            ("1/a/artifacts/b%20c+d", "1/a/artifacts/b c+d"),
            ("1/a/artifacts/%C3%A9.txt", "1/a/artifacts/é.txt"),
            ("1/a/artifacts/100%25", "1/a/artifacts/100%"),
            ("1/a/artifacts/x%23y%3Fz", "1/a/artifacts/x#y?z"),
            ("1/a/artifacts/..x", "1/a/artifacts/..x"),
        ] {
            assert_eq!(decode_path(raw).unwrap().as_str(), decoded);
        }
    }

    #[test]
    fn only_artifacts_of_runs_and_models_have_places() {
        let parse = |text: &str| Location::parse(&TreePath::new(text).unwrap());
        assert_eq!(parse("1/ab/artifacts").unwrap().path, None);
        assert_eq!(parse("1/models/m-a/artifacts/x/y").unwrap().owner, ArtifactOwner::LoggedModel("m-a".into()));
        for text in ["1", "1/ab", "1/ab/x", "1/models/artifacts/x/y", "artifacts/x", "1/ab/cd/artifacts/x"] {
            let found = parse(text);
            assert!(
                found.is_err() || found.is_ok_and(|found| found.owner == ArtifactOwner::Run("models".into())),
                "{text}"
            );
        }
    }
}
