use sealyard_core::{Digest, Timestamp};
use sealyard_ledger::{LedgerKey, Note, VerifierKey};
use serde::{Deserialize, Serialize};

use crate::BackupError;

/// How a manifest begins: what it is, and which version of the format.
pub const FORMAT: &str = "sealyard-backup/1";
const ANY_FORMAT: &str = "sealyard-backup/";

/// What a backup says of itself; the ledger's key signs it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Its name.
    pub backup: String,
    /// When it was begun.
    pub created: Timestamp,
    /// The release that made it.
    pub version: String,
    /// `sqlite` or `postgresql`: where the catalog was.
    pub database: String,
    /// How many steps of the schema it has had.
    pub schema: u32,
    /// The catalog's dump.
    pub catalog: Part,
    /// The list of objects.
    pub objects: Part,
    /// The files of keys.
    pub keys: Part,
    /// How many objects there are.
    pub object_count: u64,
    /// What they take, encrypted.
    pub object_bytes: u64,
    /// How many objects the catalog refers to that were not there.
    pub missing: u64,
    /// The key of this backup, for each recovery key.
    pub recipients: Vec<WrappedFor>,
    /// How far the ledger was; none when it has no entry.
    pub ledger: Option<LedgerHead>,
    /// What protects the vault's keys: `file`, which means that they are in this backup, or an external one, without which
    /// nothing stored can be read.
    pub master_key: String,
}

/// A file of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// SHA-256 of the file.
    pub sha256: Digest,
    /// Its length.
    pub size: u64,
}

/// The backup's key, as a recovery key opens it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WrappedFor {
    /// The recovery key's id.
    pub recipient: String,
    /// In hex.
    pub wrapped: String,
}

/// How far the ledger was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerHead {
    /// Entries.
    pub size: u64,
    /// The signed checkpoint.
    pub checkpoint: String,
    /// The key that checks it.
    pub verifier_key: String,
}

impl Manifest {
    /// As a signed note.
    pub(crate) fn sign(&self, key: &LedgerKey) -> Result<String, BackupError> {
        let json =
            serde_json::to_string(self).map_err(|error| BackupError::refused("backup.manifest", error.to_string()))?;
        Ok(key.sign_note(&format!("{FORMAT}\n{json}\n")))
    }

    /// Reads one; its signature is believed when `key` made it.
    pub(crate) fn open(note: &str, key: &VerifierKey) -> Result<Self, BackupError> {
        let refused = |detail: String| BackupError::refused("backup.manifest", detail);
        let parsed = Note::parse(note).map_err(|error| refused(format!("the manifest can't be read: {error}")))?;
        let text = parsed.verified_text(key).map_err(|error| refused(format!("the manifest: {error}")))?;
        Self::parse(text)
    }

    /// What a manifest says, believed or not: to look for the key that signed it.
    pub(crate) fn unverified(note: &str) -> Result<Self, BackupError> {
        let (text, _) = note
            .rsplit_once("\n\n")
            .ok_or_else(|| BackupError::refused("backup.manifest", "the manifest is no signed note"))?;
        Self::parse(&format!("{text}\n"))
    }

    fn parse(text: &str) -> Result<Self, BackupError> {
        let (format, json) = text.split_once('\n').unwrap_or((text, ""));
        if format != FORMAT {
            return Err(match format.strip_prefix(ANY_FORMAT) {
                Some(version) if version.len() < 10 => BackupError::Newer(format.to_owned()),
                _ => BackupError::refused("backup.manifest", "the manifest does not say what it is"),
            });
        }
        serde_json::from_str(json)
            .map_err(|error| BackupError::refused("backup.manifest", format!("the manifest can't be read: {error}")))
    }
}
