use std::fs::{self, File, TryLockError};
use std::io;
use std::path::Path;

use crate::error::VaultError;
use crate::object_id::ObjectId;
use crate::vault::Vault;

/// What [`Vault::sweep`] found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Sweep {
    /// How many leftovers of interrupted writes were removed.
    pub removed: usize,
    /// Objects that nothing refers to, in order. They are left: a commit may be under way, so the caller decides.
    pub orphans: Vec<ObjectId>,
    /// What is in the vault's directories but is none of its files; somebody else put it there. It is left.
    pub strangers: usize,
}

impl Vault {
    /// Cleans up after a crash: removes what was pending and not finished (but nothing that a living process still
    /// writes), and lists the objects for which `is_referenced` is false.
    ///
    /// # Errors
    /// Any error of the disk.
    pub fn sweep(&self, is_referenced: &dyn Fn(&ObjectId) -> bool) -> Result<Sweep, VaultError> {
        let mut sweep = Sweep::default();
        entries(&self.inner.pending_directory(), &mut |path, _| {
            match path.symlink_metadata() {
                Ok(metadata) if metadata.is_dir() => sweep.strangers += 1,
                Ok(metadata) => sweep.removed += usize::from(remove_if_abandoned(path, metadata.is_file())?),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
            Ok(())
        })?;
        entries(&self.inner.objects_directory(), &mut |shard, shard_name| {
            if shard_name.len() != 2 || !shard.is_dir() {
                sweep.strangers += 1;
                return Ok(());
            }
            let inner = entries(shard, &mut |path, name| {
                match name.parse::<ObjectId>() {
                    Ok(id) if name.starts_with(shard_name) && is_file(path) => {
                        if !is_referenced(&id) {
                            sweep.orphans.push(id);
                        }
                    }
                    _ => sweep.strangers += 1,
                }
                Ok(())
            });
            inner.map_err(io::Error::other)
        })?;
        sweep.orphans.sort_unstable();
        if sweep.removed + sweep.orphans.len() + sweep.strangers > 0 {
            tracing::info!(
                removed = sweep.removed,
                orphans = sweep.orphans.len(),
                strangers = sweep.strangers,
                "swept the vault"
            );
        }
        Ok(sweep)
    }
}

/// Whoever writes a pending file holds a lock on it, which ends with the process.
fn remove_if_abandoned(path: &Path, is_file: bool) -> io::Result<bool> {
    if !is_file {
        // A link, pipe or socket is never ours; opening it could wait for ever.
        return fs::remove_file(path).map(|()| true);
    }
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error),
    };
    match file.try_lock() {
        Ok(()) => fs::remove_file(path).map(|()| true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

fn is_file(path: &Path) -> bool {
    path.symlink_metadata().is_ok_and(|metadata| metadata.is_file())
}

fn entries(directory: &Path, visit: &mut dyn FnMut(&Path, &str) -> io::Result<()>) -> Result<(), VaultError> {
    let failed = |source| VaultError::Io { act: "sweep", path: directory.to_owned(), source };
    for entry in fs::read_dir(directory).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        visit(&entry.path(), &entry.file_name().to_string_lossy()).map_err(failed)?;
    }
    Ok(())
}
