use std::io;
use std::path::PathBuf;

use sealyard_core::Digest;
use sealyard_env::EnvError;
use sealyard_sandbox::{EgressEntry, Exit, SandboxError};

/// A training run did not come to a record.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// The project's description can't be used.
    #[error("{file}: {detail}")]
    Project {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        detail: String,
    },
    /// A parameter is missing or not of its type.
    #[error("parameter {name:?}: {detail}")]
    Parameter {
        /// Its name.
        name: String,
        /// What is wrong.
        detail: String,
    },
    /// Pinned data has other bytes.
    #[error("the data {name:?} ({path}) is not the pinned one: expected {expected}, found {found} [data.digest]")]
    DataDigest {
        /// Its name in `sealyard.toml`.
        name: String,
        /// The file.
        path: PathBuf,
        /// The pinned digest.
        expected: Digest,
        /// The file's digest.
        found: Digest,
    },
    /// Pinned data was not left alone while the command ran.
    #[error(
        "the data {name:?} ({path}) was changed or moved during the run, so it is unknown what was read [data.digest]"
    )]
    DataTouched {
        /// Its name in `sealyard.toml`.
        name: String,
        /// The file.
        path: PathBuf,
    },
    /// Data that was asked for is not pinned by the project.
    #[error("the data {name:?} is not pinned in sealyard.toml [data.unpinned]")]
    DataUnpinned {
        /// The name.
        name: String,
    },
    /// The tracking server's address can't be used.
    #[error("the tracking URL {url} can't be used: {detail}")]
    Tracking {
        /// The URL.
        url: String,
        /// Why.
        detail: String,
    },
    /// The environment can't be had.
    #[error(transparent)]
    Environment(#[from] EnvError),
    /// The sandbox can't be had.
    #[error(transparent)]
    Sandbox(#[from] SandboxError),
    /// The training command failed.
    #[error("the training command failed ({exit}){}", refused(.egress))]
    Failed {
        /// How it ended.
        exit: Exit,
        /// Its last lines.
        last_lines: Vec<String>,
        /// Connections that were refused; when there is one, the rule is `sandbox.egress`.
        egress: Vec<EgressEntry>,
    },
    /// The disk said no.
    #[error("could not {action} {path}")]
    Io {
        /// What was done.
        action: &'static str,
        /// To what.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
}

fn refused(egress: &[EgressEntry]) -> String {
    let mut destinations: Vec<&str> = egress.iter().map(|entry| entry.destination.as_str()).collect();
    destinations.dedup();
    destinations.truncate(8);
    if destinations.is_empty() {
        return String::new();
    }
    format!("; it tried to reach {}, which the sandbox refused [sandbox.egress]", destinations.join(", "))
}

impl RunError {
    /// The rule that refused, or none when the work itself could not be done.
    #[must_use]
    pub fn rule(&self) -> Option<&'static str> {
        match self {
            Self::DataDigest { .. } | Self::DataTouched { .. } => Some("data.digest"),
            Self::DataUnpinned { .. } => Some("data.unpinned"),
            Self::Environment(error) => error.rule(),
            Self::Failed { egress, .. } if !egress.is_empty() => Some("sandbox.egress"),
            _ => None,
        }
    }

    /// What the user can do about it.
    #[must_use]
    pub fn hint(&self) -> Option<&str> {
        match self {
            Self::DataDigest { .. } => {
                Some("restore the file, or pin the new digest in sealyard.toml after you looked at the change")
            }
            Self::DataTouched { .. } => Some("leave large data alone while a run reads it, then run again"),
            Self::DataUnpinned { .. } => Some("add [data.<name>] with path and sha256 to sealyard.toml"),
            Self::Environment(error) => error.hint(),
            Self::Sandbox(error) => error.hint(),
            _ => None,
        }
    }
}
