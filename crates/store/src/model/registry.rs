use sealyard_core::{Digest, FileTree, Timestamp, TreePath, Verdict};

use super::Pair;

/// A name under which versions of a model are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are MLflow's")]
pub struct RegisteredModel {
    pub name: String,
    pub description: String,
    pub created: Timestamp,
    pub updated: Timestamp,
    pub created_by: String,
    pub tags: Vec<Pair>,
    /// Alias and the version it points at, by alias.
    pub aliases: Vec<(String, u32)>,
}

/// Whether a version can be used at all. READY is not published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are MLflow's")]
pub enum VersionStatus {
    Pending,
    Ready,
    Failed,
}

/// One version: a frozen manifest of files and what became of it.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs, reason = "the names are MLflow's")]
pub struct ModelVersion {
    pub name: String,
    pub version: u32,
    pub description: String,
    /// As the client gave it: `models:/m-…` or `runs:/…` or an artifact URI. Never followed again after creation.
    pub source: String,
    pub run_id: Option<String>,
    pub model_id: Option<String>,
    /// The experiment its files came from.
    pub experiment_id: String,
    pub status: VersionStatus,
    pub status_message: String,
    /// MLflow's legacy stage; `None`, `Staging`, `Production`, `Archived`.
    pub stage: String,
    pub created: Timestamp,
    pub updated: Timestamp,
    pub created_by: String,
    pub tags: Vec<Pair>,
    pub aliases: Vec<String>,
    /// Digest of the frozen file tree: the version's identity.
    pub tree: Digest,
    /// What the scan of the folder as a whole said.
    pub verdict: Verdict,
    /// Digest of the publish attestation, once published.
    pub published: Option<Digest>,
    /// There are no files: it is a prompt, or notes a model that is kept elsewhere. Its `tree` is no file tree's digest.
    pub is_record: bool,
    /// Of a copy of another version: where that one's files are.
    pub location: Option<String>,
}

impl ModelVersion {
    /// Where a client finds the files, as a URI of the artifact proxy, which checks again; of a version without files, what
    /// its maker said. The source was checked when the version was made; which logged model its maker says that it is beside
    /// was not judged by any gate and must not be what clients load.
    #[must_use]
    pub fn download_location(&self) -> String {
        if let Some(location) = &self.location {
            return location.clone();
        }
        let experiment = &self.experiment_id;
        if self.is_record {
            return self.source.clone();
        }
        if let Some(model) = self.source.strip_prefix("models:/") {
            return format!("mlflow-artifacts:/{experiment}/models/{}/artifacts", model.trim_matches('/'));
        }
        if let Some(rest) = self.source.strip_prefix("runs:/") {
            let (run, path) = rest.trim_matches('/').split_once('/').unwrap_or((rest, ""));
            let root = format!("mlflow-artifacts:/{experiment}/{run}/artifacts");
            return if path.is_empty() { root } else { format!("{root}/{path}") };
        }
        self.source.clone()
    }
}

/// What is needed to make a version. Its number is the next one of its name.
#[derive(Debug, Clone)]
#[allow(missing_docs, reason = "the names are MLflow's")]
pub struct NewModelVersion {
    pub name: String,
    pub description: String,
    pub source: String,
    pub run_id: Option<String>,
    pub model_id: Option<String>,
    pub experiment_id: String,
    pub created: Timestamp,
    pub created_by: String,
    pub tags: Vec<Pair>,
    pub tree: FileTree,
    /// Where each file of the tree is kept; exactly the paths of `tree`.
    pub files: Vec<VersionFile>,
    pub verdict: Verdict,
    /// Of a copy of another version: where that one's files are.
    pub location: Option<String>,
}

/// What is needed to make a version without files.
#[derive(Debug, Clone)]
#[allow(missing_docs, reason = "the names are MLflow's")]
pub struct NewVersionRecord {
    pub name: String,
    pub description: String,
    pub source: String,
    /// As the client says: nothing is looked up by it.
    pub run_id: Option<String>,
    /// As the client says.
    pub model_id: Option<String>,
    pub created: Timestamp,
    pub created_by: String,
    pub tags: Vec<Pair>,
    /// Stands in the place of a file tree's digest, and is none.
    pub placeholder: Digest,
    pub location: Option<String>,
}

/// Where the vault keeps one file of a version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionFile {
    /// Its path in the version's tree.
    pub path: TreePath,
    /// The vault's name of it.
    pub object: String,
}
