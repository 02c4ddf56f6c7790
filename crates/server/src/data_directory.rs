use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};

use sealyard_core::durable;

use crate::ServerError;

/// What a server makes first, and knows its directory by.
const FIRST: &str = "keys";

/// Where a server keeps everything: only its owner may enter, and only one server at a time.
#[derive(Debug)]
pub struct DataDirectory {
    root: PathBuf,
    /// Held for as long as the server runs.
    _lock: File,
}

impl DataDirectory {
    /// Makes or opens the directory and takes its lock.
    ///
    /// # Errors
    /// [`ServerError::InUse`] when another server has it; [`ServerError::File`].
    pub fn open(root: &Path) -> Result<Self, ServerError> {
        let fail = |what, path: &Path| {
            let path = path.to_owned();
            move |source| ServerError::File { what, path, source }
        };
        // Somebody's own folder is neither closed to others nor filled.
        if is_foreign(root).map_err(fail("look into the data directory", root))? {
            return Err(ServerError::Foreign(root.to_owned()));
        }
        durable::create_private_directory(root).map_err(fail("create the data directory", root))?;
        // Before anything else: a start that is killed right here must know the directory again.
        for below in [FIRST, "vault"] {
            let path = root.join(below);
            durable::create_private_directory(&path).map_err(fail("create", &path))?;
        }
        let ignore = root.join(".gitignore");
        if !ignore.exists() {
            durable::write(&ignore, b"# keys and data: never in a repository\n*\n", 0o600)
                .map_err(fail("write", &ignore))?;
        }
        let path = root.join("lock");
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let lock = options.open(&path).map_err(fail("open", &path))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { root: root.to_owned(), _lock: lock }),
            Err(std::fs::TryLockError::WouldBlock) => Err(ServerError::InUse(root.to_owned())),
            Err(std::fs::TryLockError::Error(error)) => Err(fail("lock", &path)(error)),
        }
    }

    /// The directory itself.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The SQLite catalog.
    #[must_use]
    pub fn catalog(&self) -> PathBuf {
        Self::catalog_in(&self.root)
    }

    /// Where the catalog of a data directory is.
    #[must_use]
    pub fn catalog_in(root: &Path) -> PathBuf {
        root.join("catalog.sqlite")
    }

    /// Where it says which database has the catalog instead.
    #[must_use]
    pub fn database_note_in(root: &Path) -> PathBuf {
        root.join("database")
    }

    /// The encrypted objects.
    #[must_use]
    pub fn vault(&self) -> PathBuf {
        self.root.join("vault")
    }

    /// Keys: each a file with mode 0600.
    #[must_use]
    pub fn keys(&self) -> PathBuf {
        self.root.join("keys")
    }

    /// Where the ledger's public verifier key is.
    #[must_use]
    pub fn ledger_verifier_in(root: &Path) -> PathBuf {
        root.join("keys").join("ledger.pub")
    }
}

/// Whether there is something in the folder, but not what a server makes first.
fn is_foreign(root: &Path) -> std::io::Result<bool> {
    let mut entries = match std::fs::read_dir(root) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error),
    };
    Ok(entries.next().is_some() && !root.join("lock").exists() && !root.join(FIRST).is_dir())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_of_somebody_else_is_left_alone() {
        use std::os::unix::fs::PermissionsExt as _;
        let directory = tempfile::tempdir().unwrap();
        std::fs::set_permissions(directory.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
        std::fs::write(directory.path().join("notes.txt"), "mine").unwrap();
        assert!(matches!(DataDirectory::open(directory.path()), Err(ServerError::Foreign(_))));
        assert_eq!(std::fs::metadata(directory.path()).unwrap().permissions().mode() & 0o777, 0o755);
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_start_that_was_killed_at_once_is_known_again() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().join("data");
        std::fs::create_dir_all(root.join(FIRST)).unwrap();
        DataDirectory::open(&root).unwrap();
        assert!(root.join(".gitignore").exists());
    }

    #[test]
    fn a_second_server_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().join("data");
        let first = DataDirectory::open(&root).unwrap();
        assert!(matches!(DataDirectory::open(&root), Err(ServerError::InUse(_))));
        drop(first);
        DataDirectory::open(&root).unwrap();
    }

    #[test]
    fn nobody_else_may_enter() {
        use std::os::unix::fs::PermissionsExt as _;
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().join("data");
        std::fs::create_dir(&root).unwrap();
        std::fs::set_permissions(&root, std::fs::Permissions::from_mode(0o755)).unwrap();
        DataDirectory::open(&root).unwrap();
        for path in [root.clone(), root.join("keys"), root.join("vault")] {
            assert_eq!(std::fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o700);
        }
    }
}
