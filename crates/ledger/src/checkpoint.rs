use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sealyard_core::Digest;

use crate::key::{LedgerKey, VerifierKey};
use crate::note::{Note, NoteError};

/// How large the log is and which root it has (C2SP tlog-checkpoint).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// Name of the log.
    pub origin: String,
    /// How many entries it has.
    pub size: u64,
    /// Root of the Merkle tree over them.
    pub root: Digest,
}

/// The note is not a checkpoint of the log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CheckpointError {
    /// It is not a note that the key signed.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// The signed text is not a checkpoint.
    #[error("the signed text is not a checkpoint: {0}")]
    Malformed(&'static str),
    /// It is of another log.
    #[error("the checkpoint is of the log {found:?}, not of {expected:?}")]
    Origin {
        /// What it says.
        found: String,
        /// What the key's log is called.
        expected: String,
    },
}

impl Checkpoint {
    /// Signs it as a note.
    #[must_use]
    pub fn sign(size: u64, root: &Digest, key: &LedgerKey) -> String {
        let origin = key.origin();
        let text = format!("{origin}\n{size}\n{}\n", STANDARD.encode(root.as_bytes()));
        Note::write(&text, origin, key.key_id(), &key.sign(text.as_bytes()))
    }

    /// Reads a note that `key` signed; the log must have the key's name. Lines of extensions are passed over.
    ///
    /// # Errors
    /// [`CheckpointError`].
    pub fn open(note: &str, key: &VerifierKey) -> Result<Self, CheckpointError> {
        let note = Note::parse(note)?;
        let mut lines = note.verified_text(key)?.split('\n');
        let origin = lines.next().unwrap_or_default();
        if origin != key.name() {
            return Err(CheckpointError::Origin { found: origin.to_owned(), expected: key.name().to_owned() });
        }
        let text = lines.next().ok_or(CheckpointError::Malformed("it has no size"))?;
        let size: u64 = text.parse().map_err(|_| CheckpointError::Malformed("its size is not a number"))?;
        if size.to_string() != text {
            return Err(CheckpointError::Malformed("its size is not written plainly"));
        }
        let root = STANDARD.decode(lines.next().unwrap_or_default()).ok().and_then(|root| root.try_into().ok());
        let root = Digest::from_bytes(root.ok_or(CheckpointError::Malformed("its root is not 32 bytes in base64"))?);
        Ok(Self { origin: origin.to_owned(), size, root })
    }
}

#[cfg(test)]
mod tests {
    use sealyard_core::FixedRng;

    use super::*;

    #[test]
    fn what_was_signed_opens() {
        let key = LedgerKey::generate("log.example", &FixedRng::seeded(1)).unwrap();
        let root = Digest::of(b"root");
        let note = Checkpoint::sign(7, &root, &key);
        let opened = Checkpoint::open(&note, &key.verifier()).unwrap();
        assert_eq!(opened, Checkpoint { origin: "log.example".into(), size: 7, root });
        assert!(note.starts_with("log.example\n7\n"));
    }

    #[test]
    fn another_key_and_another_text_are_refused() {
        let key = LedgerKey::generate("log.example", &FixedRng::seeded(1)).unwrap();
        let other = LedgerKey::generate("log.example", &FixedRng::seeded(2)).unwrap();
        let note = Checkpoint::sign(7, &Digest::of(b"root"), &key);
        assert!(Checkpoint::open(&note, &other.verifier()).is_err());
        assert!(Checkpoint::open(&note.replace("\n7\n", "\n8\n"), &key.verifier()).is_err());
        for text in
            ["log.example\n", "log.example\n07\nAAAA\n", "log.example\n7\nAAAA\n", "log.example\n-1\nAAAA\n", "x\n7\n"]
        {
            let note = Note::write(text, key.origin(), key.key_id(), &key.sign(text.as_bytes()));
            assert!(Checkpoint::open(&note, &key.verifier()).is_err(), "{text}");
        }
    }
}
