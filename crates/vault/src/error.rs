use std::io;

use crate::backend::Unavailable;
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
    /// It is under a key that is not in the ring: another server made it, a workspace's was destroyed, or the header is not its own.
    #[error("stored object {id} is under the key {key}, which this server does not have")]
    UnknownKey {
        /// Which object.
        id: ObjectId,
        /// The key that its header names.
        key: KeyId,
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
    #[error("the vault {vault} belongs to key {key}, which is not in the key file")]
    ForeignKeyring {
        /// The vault.
        vault: String,
        /// The key that is missing.
        key: KeyId,
    },
    /// The place is no vault that this version knows.
    #[error("{vault} is not a vault of version 1")]
    UnknownFormat {
        /// The place.
        vault: String,
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
    /// A secret in a row is not what was sealed for it, or its key is gone.
    #[error("a stored secret fails authentication, or the key it is under is not in the key file")]
    Secret,
    /// The cipher itself failed, on sane input.
    #[error("the cipher failed")]
    Cipher,
    /// The disk, or the storage service.
    #[error("could not {act} {place}")]
    Io {
        /// What was tried.
        act: &'static str,
        /// On what.
        place: String,
        /// Why not.
        source: io::Error,
    },
}

impl VaultError {
    /// The rule behind [`VaultError::Authentication`] and [`VaultError::UnknownKey`].
    pub const AUTHENTICATION: &'static str = "vault.authentication";

    /// The name of the rule that refused, where it was one and not a failure.
    #[must_use]
    pub const fn rule(&self) -> Option<&'static str> {
        match self {
            Self::Authentication { .. } | Self::UnknownKey { .. } => Some(Self::AUTHENTICATION),
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
            Self::UnknownKey { .. } => Some(
                "where several servers share the vault, copy the file of keys from the one that made this key; it is read within seconds",
            ),
            Self::ForeignKeyring { .. } => {
                Some("use the key file that belongs to this vault, from its backup if need be")
            }
            Self::Io { source, .. } if Unavailable::is(source) => {
                Some("see that the artifact storage runs, and that its endpoint, bucket and credentials are right")
            }
            Self::Io { .. } if self.is_full() => Some("free some disk space"),
            _ => None,
        }
    }

    /// Whether there is no room for more: it may go better later, when somebody made some.
    #[must_use]
    pub fn is_full(&self) -> bool {
        use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
        matches!(self, Self::Io { source, .. } if matches!(source.kind(), StorageFull | QuotaExceeded | FileTooLarge))
    }

    /// Whether the storage service did not answer as it should: it may go better later.
    #[must_use]
    pub fn is_unavailable(&self) -> bool {
        matches!(self, Self::Io { source, .. } if Unavailable::is(source))
    }

    /// What an error of the storage means for an object.
    pub(crate) fn of_storage(act: &'static str, place: &str, id: ObjectId, source: io::Error) -> Self {
        match source.kind() {
            io::ErrorKind::NotFound => Self::Missing { id },
            io::ErrorKind::InvalidData => Self::Authentication { id, reason: "it is not a regular file" },
            _ => Self::Io { act, place: place.to_owned(), source },
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
            VaultError::Authentication { .. } | VaultError::UnknownKey { .. } => io::ErrorKind::InvalidData,
            VaultError::Missing { .. } => io::ErrorKind::NotFound,
            VaultError::Exists { .. } => io::ErrorKind::AlreadyExists,
            VaultError::TooLarge => io::ErrorKind::FileTooLarge,
            VaultError::Io { source, .. } | VaultError::Output { source, .. } => source.kind(),
            _ => io::ErrorKind::Other,
        };
        Self::new(kind, error)
    }
}
