use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sealyard_core::SystemRng;
use sealyard_vault::{Keyring, ObjectId, SealedObject, Vault, VaultError};
use tempfile::TempDir;

/// Lengths of the format, written down here once more so that a change of the format fails these tests.
pub(crate) const HEADER: usize = 87;
pub(crate) const CHUNK: usize = 65_536;
pub(crate) const SEALED_CHUNK: usize = CHUNK + 16;

/// A vault in a directory of its own.
pub(crate) struct House {
    pub(crate) directory: TempDir,
    pub(crate) vault: Vault,
}

impl House {
    pub(crate) fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let vault = open(directory.path()).unwrap();
        Self { directory, vault }
    }

    pub(crate) fn seal(&self, content: &[u8]) -> SealedObject {
        let mut pending = self.vault.begin().unwrap();
        pending.write_all(content).unwrap();
        pending.seal().unwrap()
    }

    pub(crate) fn store(&self, content: &[u8]) -> ObjectId {
        let sealed = self.seal(content);
        self.vault.commit(&sealed).unwrap();
        sealed.id
    }

    pub(crate) fn path(&self, id: &ObjectId) -> PathBuf {
        let name = id.to_string();
        self.directory.path().join("vault/objects").join(&name[..2]).join(&name)
    }

    pub(crate) fn pending(&self) -> PathBuf {
        self.directory.path().join("vault/pending")
    }

    /// All the content, through every chunk.
    pub(crate) fn load(&self, id: &ObjectId) -> Result<Vec<u8>, VaultError> {
        let mut content = Vec::new();
        self.vault.open(id)?.copy_to(&mut content)?;
        Ok(content)
    }

    pub(crate) fn is_refused(&self, id: &ObjectId) -> bool {
        match self.load(id) {
            Err(error) => error.rule() == Some("vault.authentication"),
            Ok(_) => false,
        }
    }

    pub(crate) fn files(&self) -> Vec<PathBuf> {
        files(self.directory.path())
    }
}

pub(crate) fn open(directory: &Path) -> Result<Vault, VaultError> {
    let keyring = Keyring::open_or_create(&directory.join("keys"), &SystemRng).unwrap();
    Vault::open_or_create(&directory.join("vault"), keyring, Arc::new(SystemRng))
}

fn files(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found
}

/// Bytes in which every place is different enough to notice a shift.
pub(crate) fn content(length: usize) -> Vec<u8> {
    (0..length).map(|at| u8::try_from((at.wrapping_mul(2_654_435_761) >> 13) & 0xff).unwrap()).collect()
}
