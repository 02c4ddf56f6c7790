use std::path::{Path, PathBuf};

use sealyard_gate::Policy;

/// A policy and where it came from.
#[derive(Debug, Clone)]
pub struct LoadedPolicy {
    /// The policy.
    pub policy: Policy,
    /// Its file.
    pub path: PathBuf,
}

/// The policy can't be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// The file can't be read.
    #[error("the policy {path} can't be read")]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It says something that can't be meant.
    #[error("the policy {path} is not valid")]
    Invalid {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: Box<sealyard_gate::PolicyError>,
    },
}

impl LoadedPolicy {
    /// Reads the policy at `path` and the keys that lie beside it.
    ///
    /// # Errors
    /// [`PolicyError`].
    pub fn read(path: &Path) -> Result<Self, PolicyError> {
        let text =
            std::fs::read_to_string(path).map_err(|source| PolicyError::Read { path: path.to_owned(), source })?;
        let folder = path.parent().unwrap_or_else(|| Path::new("."));
        let policy = Policy::parse(&text, &|key| std::fs::read_to_string(folder.join(key)))
            .map_err(|source| PolicyError::Invalid { path: path.to_owned(), source: Box::new(source) })?;
        Ok(Self { policy, path: path.to_owned() })
    }
}
