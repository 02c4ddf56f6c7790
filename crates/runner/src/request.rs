use std::collections::BTreeMap;
use std::path::PathBuf;

use sealyard_core::{Digest, Redacted};
use sealyard_sandbox::Limits;

/// What to train and where to log it.
#[derive(Debug, Clone)]
pub struct RunRequest {
    /// The folder that holds `MLproject`.
    pub project_directory: PathBuf,
    /// The entry point's name; MLflow's default is `main`.
    pub entry_point: String,
    /// `-P name=value`.
    pub parameters: BTreeMap<String, String>,
    /// `--data name=digest`: what the caller expects, checked beside what `sealyard.toml` pins.
    pub data: BTreeMap<String, Digest>,
    /// Where the training code may log.
    pub tracking: Tracking,
    /// Wheels and environments are kept here.
    pub cache_directory: PathBuf,
    /// The interpreter to use instead of the one found on `PATH`.
    pub interpreter: Option<PathBuf>,
    /// Names this run in the provenance and, as the tag `sealyard.invocation`, on the MLflow run.
    pub invocation: String,
    /// Bounds on the training command.
    pub limits: Limits,
}

/// The tracking server, the only thing that the training code can reach.
#[derive(Debug, Clone)]
pub struct Tracking {
    /// `https://host:port`, also `http://` for a server on loopback. The host is a name or 127.0.0.1.
    pub url: String,
    /// The certificate authority to trust, PEM; without it the client's own ones.
    pub ca_pem: Option<String>,
    /// A short-lived token for this run alone.
    pub token: Option<Redacted<String>>,
    /// The experiment to log to.
    pub experiment: Experiment,
}

/// An MLflow experiment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Experiment {
    /// By name; made when there is none.
    Name(String),
    /// By id.
    Id(String),
}
