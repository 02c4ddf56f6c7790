use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use sealyard_core::durable;

/// How often a file is made anew that a sweep removed before it was locked.
const ATTEMPTS: usize = 16;

/// A file in the staging area, encrypted. It is locked as long as this lives, so that a sweep of another process leaves
/// it alone, and removed at the end unless it was moved away.
#[derive(Debug)]
pub struct Staged {
    pub(crate) path: PathBuf,
    pub(crate) file: Arc<File>,
    gone: AtomicBool,
}

impl Staged {
    /// A new file, for whoever may enter the directory.
    ///
    /// # Errors
    /// Any error of the disk.
    pub fn create(path: PathBuf) -> io::Result<Self> {
        for _ in 0..ATTEMPTS {
            let file = durable::create(&path, 0o600)?;
            // A sweep may have come in between and taken it for abandoned; it holds the lock while it removes it.
            file.lock()?;
            if is_at(&file, &path)? {
                return Ok(Self { path, file: Arc::new(file), gone: AtomicBool::new(false) });
            }
        }
        Err(io::Error::other(format!("{} was removed each time it was made", path.display())))
    }

    /// Where it lies.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// How long it is.
    ///
    /// # Errors
    /// Any error of the disk.
    pub fn length(&self) -> io::Result<u64> {
        Ok(self.path.symlink_metadata()?.len())
    }

    /// Gives the file up: it has another name now, or is stored elsewhere.
    pub(crate) fn give_up(&self) {
        self.gone.store(true, Ordering::SeqCst);
    }

    pub(crate) fn is_gone(&self) -> bool {
        self.gone.load(Ordering::SeqCst)
    }
}

/// Whether `file` is what lies at `path`, and not something that was there before.
pub(crate) fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    let there = match path.symlink_metadata() {
        Ok(there) => there,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error),
    };
    let open = file.metadata()?;
    Ok((open.dev(), open.ino()) == (there.dev(), there.ino()))
}

impl Drop for Staged {
    fn drop(&mut self) {
        if !self.is_gone() {
            remove(&self.path);
        }
    }
}

/// Nothing more can be done where this fails; the next sweep tries again.
pub(crate) fn remove(path: &Path) {
    if let Err(error) = fs::remove_file(path)
        && error.kind() != io::ErrorKind::NotFound
    {
        tracing::warn!(path = %path.display(), %error, "could not remove a pending object; the next sweep will");
    }
}
