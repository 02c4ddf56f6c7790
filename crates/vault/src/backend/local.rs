use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use sealyard_core::{ReadAt, Timestamp, durable};

use super::{Listed, ObjectBackend, Staged};
use crate::object_id::ObjectId;
use crate::vault::MARKER;

/// Objects as files of a directory, on the same file system as the staging area, from where they are moved into place.
#[derive(Debug)]
pub struct LocalBackend {
    directory: PathBuf,
    shared: bool,
}

impl LocalBackend {
    /// Opens the directory, which is made when it is missing.
    ///
    /// # Errors
    /// Any error of the disk.
    pub fn open_or_create(directory: &Path) -> io::Result<Self> {
        let backend = Self { directory: directory.to_owned(), shared: false };
        durable::create_private_directory(directory)?;
        durable::create_private_directory(&backend.objects())?;
        Ok(backend)
    }

    /// The same directory, in which other servers store too.
    #[must_use]
    pub fn shared(self) -> Self {
        Self { shared: true, ..self }
    }

    fn objects(&self) -> PathBuf {
        self.directory.join("objects")
    }

    fn path(&self, id: &ObjectId) -> PathBuf {
        let name = id.to_string();
        self.objects().join(name.get(..2).unwrap_or_default()).join(name)
    }
}

impl ObjectBackend for LocalBackend {
    fn is_shared(&self) -> bool {
        self.shared
    }

    fn place(&self, id: &ObjectId) -> String {
        self.path(id).display().to_string()
    }

    fn put(&self, id: &ObjectId, staged: &Staged) -> io::Result<()> {
        let path = self.path(id);
        make_directory(path.parent().unwrap_or(&path))?;
        fs::rename(staged.path(), &path)?;
        staged.give_up();
        durable::sync_parent(&path)?;
        durable::sync_parent(staged.path())
    }

    fn open(&self, id: &ObjectId) -> io::Result<Box<dyn ReadAt>> {
        let path = self.path(id);
        let strange = || io::Error::from(io::ErrorKind::InvalidData);
        // Before it is opened, too: opening a pipe that somebody put there would wait for ever.
        if !path.symlink_metadata()?.is_file() {
            return Err(strange());
        }
        let file = File::open(&path)?;
        if !file.metadata()?.is_file() {
            return Err(strange());
        }
        Ok(Box::new(file))
    }

    fn head(&self, id: &ObjectId) -> io::Result<Option<Listed>> {
        match self.path(id).symlink_metadata() {
            Ok(metadata) => Ok(Some(listed(*id, &metadata))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn list(&self, visit: &mut dyn FnMut(Listed) -> io::Result<()>) -> io::Result<usize> {
        let mut strangers = 0;
        for shard in fs::read_dir(self.objects())? {
            let shard = shard?;
            let shard_name = shard.file_name().to_string_lossy().into_owned();
            if shard_name.len() != 2 || !shard.path().is_dir() {
                strangers += 1;
                continue;
            }
            for entry in fs::read_dir(shard.path())? {
                let entry = entry?;
                let name = entry.file_name().to_string_lossy().into_owned();
                let metadata = match entry.path().symlink_metadata() {
                    Ok(metadata) => metadata,
                    // Removed since the directory was read.
                    Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                    Err(error) => return Err(error),
                };
                match name.parse::<ObjectId>() {
                    Ok(id) if name.starts_with(&shard_name) && metadata.is_file() => visit(listed(id, &metadata))?,
                    _ => strangers += 1,
                }
            }
        }
        Ok(strangers)
    }

    fn delete(&self, id: &ObjectId) -> io::Result<bool> {
        let path = self.path(id);
        match fs::remove_file(&path) {
            Ok(()) => durable::sync_parent(&path).map(|()| true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn marker(&self) -> io::Result<Option<Vec<u8>>> {
        match File::open(self.directory.join(MARKER)) {
            Ok(file) => {
                let mut text = Vec::new();
                file.take(1024).read_to_end(&mut text)?;
                Ok(Some(text))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn write_marker(&self, text: &[u8]) -> io::Result<()> {
        durable::write(&self.directory.join(MARKER), text, 0o600)
    }
}

fn listed(id: ObjectId, metadata: &fs::Metadata) -> Listed {
    let since = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    let millis = since.and_then(|since| i64::try_from(since.as_millis()).ok());
    // A time that can't be read is taken for the latest: nothing is removed for its age then.
    Listed { id, size: metadata.len(), stored: Timestamp::from_millis(millis.unwrap_or(i64::MAX)) }
}

fn make_directory(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    durable::create_private_directory(path)?;
    durable::sync_parent(path)
}
