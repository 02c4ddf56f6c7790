use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::io::Read as _;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sealyard_core::{Redacted, durable};
use zeroize::Zeroizing;

use crate::BackupError;

/// No file of a key is larger.
const LARGEST: u64 = 1 << 20;
const MOST_FILES: usize = 1000;

/// The files in a server's folder of keys.
#[derive(Default)]
pub struct KeyFiles(BTreeMap<String, Redacted<Vec<u8>>>);

impl KeyFiles {
    /// Reads all of them.
    ///
    /// # Errors
    /// Any error of the disk.
    pub fn read(folder: &Path) -> Result<Self, BackupError> {
        let mut files = BTreeMap::new();
        let entries = fs::read_dir(folder).map_err(BackupError::io("look into", folder))?;
        for entry in entries {
            let entry = entry.map_err(BackupError::io("look into", folder))?;
            let (name, path) = (entry.file_name().to_string_lossy().into_owned(), entry.path());
            // What is known of the catalog now is newer than what is in the backup: it would refuse what is restored.
            if !is_name(&name) || ["ledger.checkpoint", "rows.sealed"].contains(&name.as_str()) {
                continue;
            }
            // Some keep their keys elsewhere, behind links; what a link leads to is part of the backup, or there is none.
            if !fs::metadata(&path).map_err(BackupError::io("look at", &path))?.is_file() {
                continue;
            }
            let mut bytes = Zeroizing::new(Vec::with_capacity(4096));
            let file = fs::File::open(&path).map_err(BackupError::io("read", &path))?;
            file.take(LARGEST + 1).read_to_end(&mut bytes).map_err(BackupError::io("read", &path))?;
            if bytes.len() as u64 > LARGEST {
                return Err(BackupError::io("read", &path)(std::io::ErrorKind::FileTooLarge.into()));
            }
            files.insert(name, Redacted::new(bytes.to_vec()));
        }
        Ok(Self(files))
    }

    /// That the keys are there without which nothing can be restored.
    ///
    /// # Errors
    /// [`BackupError::NoKeys`].
    pub fn check(&self) -> Result<(), BackupError> {
        let has_vault = match self.get("vault.keys") {
            Some(wrapped) => !wrapped.expose().is_empty(),
            None => self.text("master.key").is_some_and(|text| sealyard_vault::Keyring::from_text(text).is_ok()),
        };
        match (self.get("ledger.key").is_some_and(|key| !key.expose().is_empty()), has_vault) {
            (true, true) => Ok(()),
            (false, _) => Err(BackupError::NoKeys("ledger.key")),
            (_, false) => Err(BackupError::NoKeys("master.key or vault.keys")),
        }
    }

    /// What is in the file of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Redacted<Vec<u8>>> {
        self.0.get(name)
    }

    /// The text in the file of this name.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        str::from_utf8(self.get(name)?.expose()).ok()
    }

    /// Writes them into a folder, which is made; each with mode 0600, but for the public ones.
    ///
    /// # Errors
    /// Any error of the disk.
    pub fn write(&self, folder: &Path) -> Result<(), BackupError> {
        durable::create_private_directory(folder).map_err(BackupError::io("create", folder))?;
        for (name, bytes) in &self.0 {
            let path = folder.join(name);
            let is_public = [".pub", ".crt", ".origin"].iter().any(|ending| name.ends_with(ending));
            let mode = if is_public { 0o644 } else { 0o600 };
            durable::write(&path, bytes.expose(), mode).map_err(BackupError::io("write", &path))?;
        }
        Ok(())
    }

    pub(crate) fn write_to(&self, out: &mut dyn std::io::Write) -> Result<(), BackupError> {
        for (name, bytes) in &self.0 {
            let line = Zeroizing::new(format!("{name} {}\n", *Zeroizing::new(STANDARD.encode(bytes.expose()))));
            out.write_all(line.as_bytes()).map_err(BackupError::io("write", "keys"))?;
        }
        Ok(())
    }

    pub(crate) fn read_from(from: impl std::io::Read) -> Result<Self, BackupError> {
        let refused = |detail: &str| BackupError::refused("backup.part", format!("the keys: {detail}"));
        let mut text = Zeroizing::new(String::new());
        from.take(LARGEST * 64).read_to_string(&mut text).map_err(|error| refused(&error.to_string()))?;
        let mut files = BTreeMap::new();
        for line in text.lines() {
            let (name, bytes) = line.split_once(' ').ok_or_else(|| refused("a line of them is none"))?;
            let bytes = STANDARD.decode(bytes).map_err(|_| refused("a line of them is none"))?;
            // It becomes the name of a file.
            if !is_name(name) || files.len() >= MOST_FILES {
                return Err(refused("a file's name is none of a key's"));
            }
            files.insert(name.to_owned(), Redacted::new(bytes));
        }
        Ok(Self(files))
    }
}

impl fmt::Debug for KeyFiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

fn is_name(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    (1..=100).contains(&name.len()) && name.bytes().all(plain) && !name.starts_with('.') && !name.ends_with(".tmp")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_backup_has_the_keys_behind_links_and_none_is_made_without_them() {
        let folder = tempfile::tempdir().unwrap();
        let (keys, elsewhere) = (folder.path().join("keys"), folder.path().join("elsewhere"));
        fs::create_dir(&keys).unwrap();
        fs::write(&elsewhere, "key").unwrap();
        let needs = |what: &str| {
            let found = KeyFiles::read(&keys).unwrap().check();
            assert!(matches!(&found, Err(BackupError::NoKeys(missing)) if *missing == what), "{found:?}");
        };
        needs("ledger.key");
        std::os::unix::fs::symlink(&elsewhere, keys.join("ledger.key")).unwrap();
        assert_eq!(KeyFiles::read(&keys).unwrap().text("ledger.key"), Some("key"));
        needs("master.key or vault.keys");
        fs::write(keys.join("master.key"), "no key").unwrap();
        needs("master.key or vault.keys");
        fs::remove_file(keys.join("master.key")).unwrap();
        sealyard_vault::Keyring::open_or_create(&keys.join("master.key"), &sealyard_core::SystemRng).unwrap();
        KeyFiles::read(&keys).unwrap().check().unwrap();
        // A link that leads nowhere, and a file that would be cut.
        fs::remove_file(&elsewhere).unwrap();
        assert!(KeyFiles::read(&keys).is_err());
        fs::write(&elsewhere, vec![b'x'; LARGEST as usize + 1]).unwrap();
        assert!(KeyFiles::read(&keys).is_err());
    }

    #[test]
    fn files_are_read_and_written_and_nothing_leaves_the_folder() {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("keys"), folder.path().join("restored"));
        fs::create_dir(&from).unwrap();
        durable::write(&from.join("gate.key"), b"\x00secret", 0o600).unwrap();
        durable::write(&from.join("gate.pub"), b"public", 0o644).unwrap();
        fs::write(from.join("gate.key.12.tmp"), b"half").unwrap();
        let mut out = Vec::new();
        KeyFiles::read(&from).unwrap().write_to(&mut out).unwrap();
        let read = KeyFiles::read_from(out.as_slice()).unwrap();
        assert!(!format!("{read:?}").contains("secret"));
        read.write(&to).unwrap();
        assert_eq!(fs::read(to.join("gate.key")).unwrap(), b"\x00secret");
        assert_eq!(fs::read_dir(&to).unwrap().count(), 2);
        for line in ["../gate.key AA==", "a/b AA==", ".hidden AA==", "name", "name !"] {
            assert!(KeyFiles::read_from(format!("{line}\n").as_bytes()).is_err(), "{line}");
        }
    }
}
