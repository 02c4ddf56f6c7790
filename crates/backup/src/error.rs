use std::io;
use std::path::PathBuf;

use sealyard_store::StoreError;
use sealyard_vault::{ObjectId, VaultError};

/// Why a backup could not be made, looked at or restored.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BackupError {
    /// The disk.
    #[error("could not {act} {}", path.display())]
    Io {
        /// What was tried.
        act: &'static str,
        /// With what.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The directory has something else in it.
    #[error("{} is not empty and has no backups of sealyard", .0.display())]
    Foreign(PathBuf),
    /// There are no backups in it.
    #[error("{} has no backups of sealyard", .0.display())]
    NoBackups(PathBuf),
    /// Another backup is being made in it.
    #[error("another backup is being made in {}", .0.display())]
    InUse(PathBuf),
    /// There is no such backup.
    #[error("there is no backup {0}")]
    Unknown(String),
    /// Nobody could read it.
    #[error("no recovery key is named, so nobody could read the backup")]
    NoRecipient,
    /// Nothing could be restored from it.
    #[error("the folder of keys has no {0} that can be read, so nothing could be restored from the backup")]
    NoKeys(&'static str),
    /// The place for the artifacts is used by a server.
    #[error(
        "{count} objects are where the artifacts were to go that are not in the backup, the first {first}: another server uses that place"
    )]
    Occupied {
        /// How many.
        count: u64,
        /// One of them.
        first: ObjectId,
    },
    /// The text is no recovery key.
    #[error("{0} is no recovery key")]
    NotAKey(String),
    /// The recovery key is none that it was made for.
    #[error("the backup is not for this recovery key ({0})")]
    OtherKey(String),
    /// It was written by a later release.
    #[error("the backup has the format {0}, which this release does not know")]
    Newer(String),
    /// Part of it is not what was written.
    #[error("{rule}: {detail}")]
    Refused {
        /// The rule that refused.
        rule: &'static str,
        /// What is wrong.
        detail: String,
    },
    /// The catalog.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The vault.
    #[error(transparent)]
    Vault(#[from] VaultError),
}

impl BackupError {
    pub(crate) fn io(act: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { act, path, source }
    }

    pub(crate) fn refused(rule: &'static str, detail: impl Into<String>) -> Self {
        Self::Refused { rule, detail: detail.into() }
    }

    /// The rule that refused, where it was one and no failure.
    #[must_use]
    pub const fn rule(&self) -> Option<&'static str> {
        match self {
            Self::Refused { rule, .. } => Some(rule),
            _ => None,
        }
    }

    /// What the user can do about it.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::NoRecipient => {
                "make a key with `sealyard keys recovery NAME`, keep NAME.recovery away from the server, and name NAME.recovery.pub with --recipient"
            }
            Self::Foreign(_) => "name an empty or a new directory, or one with backups",
            Self::NoKeys(_) => "look at the folder keys in the data directory: `sealyard doctor` says more",
            Self::Occupied { .. } => {
                "name an empty place with --artifacts; a server that was restored to a place in use would remove what it does not know"
            }
            Self::OtherKey(_) => "name the private half of a key that the backup was made for",
            Self::Newer(_) => "restore it with the release that made it, or a later one",
            Self::Store(StoreError::Newer { .. }) => "use the release that made it, or a later one",
            _ => return None,
        })
    }
}
