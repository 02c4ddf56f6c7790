use std::collections::BTreeMap;

use sealyard_core::{Digest, Timestamp};
use sealyard_env::{InterpreterRecord, Wheel};
use sealyard_sandbox::{EgressEntry, Exit, Held, Output};
use serde::{Deserialize, Serialize};

/// Who built: the runner on the caller's own machine.
pub const BUILDER_ID: &str = "https://sealyard.dev/runner/local/v1";
/// How it was built: an MLproject in a verified environment inside the sandbox.
pub const BUILD_TYPE: &str = "https://sealyard.dev/mlproject/v1";

/// All there is to say about one training run; what provenance is made of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrainingRecord {
    /// The caller's name for the run; the MLflow run has it as the tag `sealyard.invocation`.
    pub invocation: String,
    /// The project's name.
    pub project: String,
    /// The entry point that ran.
    pub entry_point: String,
    /// The command after the parameters were filled in.
    pub command: String,
    /// Every parameter's value, defaults too.
    pub parameters: BTreeMap<String, String>,
    /// When the training command was started.
    pub started: Timestamp,
    /// When it had ended.
    pub finished: Timestamp,
    /// The project's source.
    pub source: Source,
    /// Digest of the project's files as they were shown to the command.
    pub project_digest: Digest,
    /// Pinned data, by name.
    pub data: BTreeMap<String, PinnedData>,
    /// SHA-256 of the lock file.
    pub lock_digest: Digest,
    /// Every wheel that was installed.
    pub wheels: Vec<Wheel>,
    /// The interpreter that ran.
    pub interpreter: InterpreterRecord,
    /// Digest of the manifest of the installed environment.
    pub environment_digest: Digest,
    /// What the sandbox really held.
    pub sandbox: Held,
    /// Each connection, let through or refused.
    pub egress: Vec<EgressEntry>,
    /// Connections that no longer fitted into `egress`.
    pub egress_dropped: u64,
    /// What the command printed.
    pub output: Output,
    /// How it ended.
    pub exit: Exit,
    /// Version of the runner.
    pub runner_version: String,
}

impl TrainingRecord {
    /// Digest of the egress log, as a byproduct names it.
    #[must_use]
    pub fn egress_digest(&self) -> Digest {
        Digest::of(&serde_json::to_vec(&self.egress).unwrap_or_default())
    }

    /// Whether the command could reach nothing at all.
    #[must_use]
    pub fn is_hermetic(&self) -> bool {
        self.sandbox.network == sealyard_sandbox::Network::None && !self.egress.iter().any(|entry| entry.allowed)
    }
}

/// Where the project's files come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// A git work tree.
    Git {
        /// The commit that is checked out, 40 or 64 hex digits.
        commit: String,
        /// Whether the project's files differ from it.
        dirty: bool,
        /// The project's folder below the work tree's root; empty for the root.
        directory: String,
        /// The remote's URL without credentials, if there is one. Only the work tree's settings say so; the remote was not asked.
        remote: Option<String>,
    },
    /// No git work tree, or it could not be read.
    Unversioned {
        /// Why.
        reason: String,
    },
}

/// A data set that was pinned by digest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PinnedData {
    /// The path below the project's folder.
    pub path: String,
    /// SHA-256 of the file.
    pub digest: Digest,
    /// Size in bytes.
    pub size: u64,
    /// Whether the command saw a private copy. Otherwise it saw the file where it lies, which was hashed before and after.
    #[serde(default)]
    pub copied: bool,
}
