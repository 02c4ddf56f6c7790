use std::io;
use std::path::PathBuf;

use crate::keyring::KeyId;
use crate::object_id::ObjectId;

/// What can go wrong in the vault.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VaultError {
    /// What is stored is not what was written under this id.
    #[error("stored object {id} fails authentication: {reason}")]
    Authentication {
        /// Which object.
        id: ObjectId,
        /// What does not fit.
        reason: &'static str,
    },
    /// There is no such object.
    #[error("there is no stored object {id}")]
    Missing {
        /// Which object.
        id: ObjectId,
    },
    /// There already is such an object.
    #[error("there already is a stored object {id}")]
    Exists {
        /// Which object.
        id: ObjectId,
    },
    /// The vault was written with a key that the keyring does not have.
    #[error("the vault {} belongs to key {key}, which is not in the key file", directory.display())]
    ForeignKeyring {
        /// The vault.
        directory: PathBuf,
        /// The key that is missing.
        key: KeyId,
    },
    /// The directory is no vault that this version knows.
    #[error("{} is not a vault of version 1", directory.display())]
    UnknownFormat {
        /// The directory.
        directory: PathBuf,
    },
    /// More bytes than the format can count.
    #[error("the object is too large to store: the limit is 256 TiB")]
    TooLarge,
    /// A write failed before; what was written is not whole and can't be sealed.
    #[error("an earlier write to pending object {id} failed, so it can't be completed")]
    Incomplete {
        /// Which object.
        id: ObjectId,
    },
    /// The one who takes the decrypted bytes failed.
    #[error("could not pass the content of {id} on")]
    Output {
        /// Which object.
        id: ObjectId,
        /// Why.
        source: io::Error,
    },
    /// The cipher itself failed, on sane input.
    #[error("the cipher failed")]
    Cipher,
    /// The disk.
    #[error("could not {act} {}", path.display())]
    Io {
        /// What was tried.
        act: &'static str,
        /// On what.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

impl VaultError {
    /// The rule behind [`VaultError::Authentication`].
    pub const AUTHENTICATION: &'static str = "vault.authentication";

    /// The name of the rule that refused, where it was one and not a failure.
    #[must_use]
    pub const fn rule(&self) -> Option<&'static str> {
        match self {
            Self::Authentication { .. } => Some(Self::AUTHENTICATION),
            _ => None,
        }
    }

    /// What the user can do about it.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Authentication { .. } => Some(
                "the file was changed or damaged; restore it from a backup, and find out who can write to the vault",
            ),
            Self::ForeignKeyring { .. } => {
                Some("use the key file that belongs to this vault, from its backup if need be")
            }
            Self::Io { source, .. } if source.kind() == io::ErrorKind::StorageFull => Some("free some disk space"),
            _ => None,
        }
    }

    /// The vault's error inside one that came through [`std::io`], as from [`sealyard_core::ReadAt`].
    #[must_use]
    pub fn within(error: &io::Error) -> Option<&Self> {
        error.get_ref()?.downcast_ref()
    }
}

impl From<VaultError> for io::Error {
    fn from(error: VaultError) -> Self {
        let kind = match &error {
            VaultError::Authentication { .. } => io::ErrorKind::InvalidData,
            VaultError::Missing { .. } => io::ErrorKind::NotFound,
            VaultError::Exists { .. } => io::ErrorKind::AlreadyExists,
            VaultError::TooLarge => io::ErrorKind::FileTooLarge,
            VaultError::Io { source, .. } | VaultError::Output { source, .. } => source.kind(),
            _ => io::ErrorKind::Other,
        };
        Self::new(kind, error)
    }
}
