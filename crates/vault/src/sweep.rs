use std::fs::{self, File, TryLockError};
use std::io;
use std::path::Path;

use crate::backend::{Listed, is_at};
use crate::error::VaultError;
use crate::vault::Vault;

impl Vault {
    /// Removes what is in the staging area of this machine and no living process writes; gives how many that were, and
    /// how many things are there that are none of its files.
    ///
    /// # Errors
    /// Any error of the disk.
    pub fn sweep_staging(&self) -> Result<(usize, usize), VaultError> {
        let (mut removed, mut strangers) = (0, 0);
        entries(self.inner.staging(), &mut |path| {
            match path.symlink_metadata() {
                Ok(metadata) if metadata.is_dir() => strangers += 1,
                Ok(metadata) => removed += usize::from(remove_if_abandoned(path, metadata.is_file())?),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
            Ok(())
        })?;
        Ok((removed, strangers))
    }

    /// Shows all objects that are stored, in no order; gives how many things lie among them that are none.
    ///
    /// # Errors
    /// Any error of the disk or the storage service.
    pub fn each_object(&self, visit: &mut dyn FnMut(Listed)) -> Result<usize, VaultError> {
        let listed = self.inner.backend.list(&mut |object| {
            visit(object);
            Ok(())
        });
        listed.map_err(|source| VaultError::Io { act: "list", place: "the stored objects".to_owned(), source })
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
        // What was opened can have been removed since, and another file made in its place.
        Ok(()) if is_at(&file, path)? => fs::remove_file(path).map(|()| true),
        Ok(()) | Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

fn entries(directory: &Path, visit: &mut dyn FnMut(&Path) -> io::Result<()>) -> Result<(), VaultError> {
    let failed = |source| VaultError::Io { act: "sweep", place: directory.display().to_string(), source };
    for entry in fs::read_dir(directory).map_err(failed)? {
        visit(&entry.map_err(failed)?.path()).map_err(failed)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;
    use crate::backend::Staged;

    /// A file is neither removed between its making and its locking, nor in the place of one that was.
    #[test]
    fn a_sweep_takes_nothing_from_under_its_writer() {
        let directory = tempfile::tempdir().unwrap();
        let stop = AtomicBool::new(false);
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    while !stop.load(Ordering::Relaxed) {
                        entries(directory.path(), &mut |path| remove_if_abandoned(path, true).map(drop)).unwrap();
                    }
                });
            }
            let lost = (0..3000).find(|number| {
                let staged = Staged::create(directory.path().join(format!("file-{}", number % 7))).unwrap();
                !is_at(&staged.file, staged.path()).unwrap()
            });
            stop.store(true, Ordering::Relaxed);
            assert_eq!(lost, None);
        });
    }
}
