use std::io;
use std::path::PathBuf;

/// The sandbox did not start, or its supervisor failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SandboxError {
    /// The host can't give a part of the sandbox. Nothing was run.
    #[error("the sandbox can't be set up: {what} is missing: {detail}")]
    Missing {
        /// The part.
        what: String,
        /// What the host said.
        detail: String,
        /// What the user can do.
        hint: String,
    },
    /// A path of the spec can't be shown inside.
    #[error("{path} can't be shown in the sandbox: {detail}")]
    Bind {
        /// The path on the host.
        path: PathBuf,
        /// Why.
        detail: String,
    },
    /// The spec makes no sense.
    #[error("the sandbox was asked for something impossible: {0}")]
    Spec(String),
    /// The command can't be started.
    #[error("the command {command:?} can't be started in the sandbox: {detail}")]
    Command {
        /// The program.
        command: String,
        /// What the kernel said.
        detail: String,
    },
    /// The supervisor failed; everything inside was killed.
    #[error("the sandbox's supervisor failed while {doing}")]
    Supervisor {
        /// What it was doing.
        doing: &'static str,
        /// Why.
        source: io::Error,
    },
    /// The sandbox ended without saying how.
    #[error("the sandbox ended unexpectedly: {0}")]
    Lost(String),
}

impl SandboxError {
    /// What the user can do about it.
    #[must_use]
    pub fn hint(&self) -> Option<&str> {
        match self {
            Self::Missing { hint, .. } => Some(hint),
            _ => None,
        }
    }
}
