use std::path::PathBuf;

use sealyard_vault::KeyringError;

/// The vault's keys can't be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MasterKeyError {
    /// What has the master key does not answer.
    #[error("the master key ({provider}) can't be reached: {problem}")]
    Unavailable {
        /// Which it is.
        provider: String,
        /// What happened.
        problem: String,
    },
    /// It answers, and says no.
    #[error("the master key ({provider}) refused: {problem}")]
    Refused {
        /// Which it is.
        provider: String,
        /// What it said, without anything secret.
        problem: String,
    },
    /// It gave what is not the vault's key.
    #[error("the master key ({provider}) is not the one that wrapped the vault's keys")]
    Wrong {
        /// Which it is.
        provider: String,
    },
    /// What it was told can't be.
    #[error("the master key ({provider}) can't be used: {problem}")]
    Setting {
        /// Which it is.
        provider: String,
        /// What is wrong.
        problem: String,
    },
    /// The file of wrapped keys is none.
    #[error("{} is not a file of wrapped vault keys: {problem}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// The disk.
    #[error("could not {act} {}", path.display())]
    Io {
        /// What was tried.
        act: &'static str,
        /// With which file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// The file of plain keys.
    #[error(transparent)]
    Keyring(#[from] KeyringError),
}

impl MasterKeyError {
    /// What the operator can do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Unavailable { .. } => {
                "see that it runs and can be reached from here, then start again; what is stored can't be read \
                                         without it, and nothing of it was changed"
                    .to_owned()
            }
            Self::Refused { .. } => {
                "see that the key exists there and that the credentials may encrypt and decrypt with it".to_owned()
            }
            Self::Wrong { .. } => {
                "name the master key that was used before; to change to another, run `sealyard vault move`".to_owned()
            }
            Self::Setting { .. } => "see the section [vault] of the settings".to_owned(),
            Self::Malformed { .. } => "restore it from a backup; nothing stored can be read without it".to_owned(),
            Self::Io { .. } => return None,
            Self::Keyring(error) => return error.hint(),
        })
    }
}
