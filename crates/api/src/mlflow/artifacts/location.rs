//! Which artifact a URI names.
//!
//! The path is taken as it was sent, decoded exactly once, and must then be a [`TreePath`]. Nothing is normalised away:
//! a path that steps up is refused where a router would quietly have made another one of it.

use axum::extract::Request;
use percent_encoding::percent_decode_str;
use sealyard_app::{App, AppError, ArtifactProof, Caller};
use sealyard_core::TreePath;
use sealyard_identity::{ActsOn, Administer, Authorized, ExperimentId, ServerWide};
use sealyard_store::model::ArtifactOwner;

use crate::http::{ApiError, ErrorCode, Identified, InWorkspace};

/// What a path of the proxy names: `<experiment>/<run>/artifacts/<rest>`,
/// `<experiment>/models/<model>/artifacts/<rest>`, `<experiment>/traces/<trace>/artifacts/<rest>`, or something outside of
/// every experiment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Location {
    place: Place,
    /// `None` is the root of the place.
    pub(super) path: Option<TreePath>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    Owned {
        experiment: String,
        owner: ArtifactOwner,
    },
    /// Only administrators have anything there.
    Loose,
    /// In an experiment, where nothing is kept. Who may not see the experiment is told that, others what is wrong.
    Nowhere {
        experiment: String,
        whole: String,
    },
}

/// That the caller may touch what is at a location.
#[derive(Debug)]
pub(super) enum May<A> {
    Of(Authorized<A, ExperimentId>),
    Loose(Authorized<Administer, ServerWide>),
}

impl<A> May<A> {
    pub(super) fn proof(&self) -> ArtifactProof<'_, A> {
        match self {
            Self::Of(authorized) => authorized.into(),
            Self::Loose(authorized) => authorized.into(),
        }
    }
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

/// A decoded path that is a plain relative one, and would still be if something decoded it again, and again.
fn plain(decoded: &str) -> Result<TreePath, String> {
    let path = TreePath::new(decoded).map_err(|error| error.to_string())?;
    let mut text = decoded.to_owned();
    // Each round has fewer escapes.
    loop {
        let again: Vec<u8> = percent_decode_str(&text).collect();
        if again.len() == text.len() {
            return Ok(path);
        }
        // Each escape by itself: a harmless one must not make up for another.
        let mut escaped = text.split('%').skip(1).filter_map(|behind| {
            let digits = behind.get(..2).filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()))?;
            u8::from_str_radix(digits, 16).ok()
        });
        let again = String::from_utf8_lossy(&again).into_owned();
        if escaped.any(|byte| b"/\\.%".contains(&byte)) || again.chars().any(char::is_control) {
            return Err("it is encoded twice".to_owned());
        }
        text = again;
    }
}

/// What the folder in a URI and a path that a client gave make together: in the folder, and plain; for the fuzz targets.
#[cfg(feature = "fuzzing")]
pub(super) fn fuzz_in_folder(raw: &str, joined: impl Fn(Option<&TreePath>) -> String) -> Option<TreePath> {
    let location = decode_path(raw).and_then(|path| Location::parse(&path)).ok()?;
    let found = plain(&joined(location.path.as_ref())).ok()?;
    if let Some(folder) = &location.path {
        assert!(found.as_str().starts_with(&format!("{folder}/")), "{found} is not in {folder}");
    }
    Some(found)
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

    /// What a `path` parameter names; without one it is the root of what lies loose.
    pub(super) async fn of_parameter(app: &App, caller: &Caller, decoded: &str) -> Result<Self, ApiError> {
        if decoded.is_empty() {
            return Ok(Self { place: Place::Loose, path: None });
        }
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
            // What looks like a run's or a model's is never loose, whatever the experiment is called.
            [first, ..] if !first.bytes().all(|byte| byte.is_ascii_digit()) => {
                return Ok(Self { place: Place::Loose, path: Some(path.clone()) });
            }
            // An experiment's id is a number, and its folder is its own.
            _ => {
                let experiment = parts.first().copied().unwrap_or_default().to_owned();
                return Ok(Self { place: Place::Nowhere { experiment, whole: path.to_string() }, path: None });
            }
        };
        let path = match rest {
            [] => None,
            rest => Some(TreePath::new(&rest.join("/")).map_err(|error| error.to_string())?),
        };
        Ok(Self { place: Place::Owned { experiment: (*experiment).to_owned(), owner }, path })
    }

    /// Whose it is, and the proof that the caller may do `action` there.
    pub(super) async fn authorize<A>(
        &self,
        app: &App,
        caller: &Caller,
        action: A,
    ) -> Result<(ArtifactOwner, May<A>), ApiError>
    where
        A: ActsOn<ExperimentId>,
    {
        match &self.place {
            Place::Owned { experiment, owner } => {
                Ok((owner.clone(), May::Of(app.authorize_experiment(caller, action, experiment).await?)))
            }
            Place::Loose => {
                Ok((ArtifactOwner::Loose, May::Loose(app.authorize(caller, Administer, ServerWide).await?)))
            }
            Place::Nowhere { experiment, whole } => {
                let _may = app.authorize_experiment(caller, action, experiment).await?;
                let reason = "it is none of <experiment>/<run>/artifacts/…, <experiment>/models/<model>/artifacts/… and \
                              <experiment>/traces/<trace>/artifacts/…";
                Err(app.refuse_artifact_path(caller, whole, reason).await.into())
            }
        }
    }

    /// The path, which must be there.
    pub(super) fn file(&self) -> Result<&TreePath, ApiError> {
        self.path.as_ref().ok_or_else(|| ApiError::invalid("refused by artifact.path: it names no file"))
    }
}

/// The proxy's root with a slash behind it: no artifact.
pub(super) async fn empty(InWorkspace(state): InWorkspace, Identified(caller): Identified, _: Request) -> ApiError {
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
            "1/a%2541/%252e%252e/x",
            "1/a%2541b%252fc",
            "1/a%252%2566b",
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
            ("1/a/artifacts/a%2541", "1/a/artifacts/a%41"),
        ] {
            assert_eq!(decode_path(raw).unwrap().as_str(), decoded);
        }
    }

    #[test]
    fn an_experiments_folder_is_its_own_and_the_rest_is_loose() {
        let parse = |text: &str| Location::parse(&TreePath::new(text).unwrap()).unwrap();
        assert_eq!(parse("1/ab/artifacts").path, None);
        let owned = |owner| Place::Owned { experiment: "1".into(), owner };
        assert_eq!(parse("1/ab/artifacts/x").place, owned(ArtifactOwner::Run("ab".into())));
        assert_eq!(parse("1/models/m-a/artifacts/x/y").place, owned(ArtifactOwner::LoggedModel("m-a".into())));
        assert_eq!(parse("1/models/artifacts/x/y").place, owned(ArtifactOwner::Run("models".into())));
        for text in ["1", "01", "1/ab", "1/ab/x", "1/ab/cd/artifacts/x", "0/traces/t"] {
            assert!(matches!(parse(text).place, Place::Nowhere { .. }), "{text}");
        }
        for text in ["+1/ab/artifacts/x", "dir/models/m/artifacts", "١/ab/artifacts"] {
            assert!(matches!(parse(text).place, Place::Owned { .. }), "{text}");
        }
        for text in ["a.txt", "artifacts/x", "1a/x", "dir/ab/x/artifacts", "+1/x"] {
            let found = parse(text);
            assert_eq!((found.place, found.path.unwrap().as_str()), (Place::Loose, text));
        }
    }
}
