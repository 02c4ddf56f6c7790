use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use sealyard_core::{Digest, Rng, Timestamp, durable};

use crate::BackupError;
use crate::hashing::{HashingWriter, digest_of_file};

const MARKER: &str = "sealyard-backups";
const MARKER_TEXT: &str = "sealyard-backups 1\n";
/// What is being made begins so.
const PENDING: &str = ".pending-";
/// No manifest is larger.
const LONGEST_MANIFEST: u64 = 64 * 1024;

/// A directory of backups.
#[derive(Debug)]
pub struct BackupStore {
    root: PathBuf,
}

/// A directory of backups that is had for one backup alone, until this is dropped.
#[derive(Debug)]
pub struct StoreLock {
    _file: File,
}

/// The name of a backup: when it was begun, and something random. Later ones are greater.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SnapshotName(String);

impl SnapshotName {
    pub(crate) fn new(now: Timestamp, rng: &dyn Rng) -> Self {
        let text = now.to_rfc3339();
        let seconds = text.get(..19).unwrap_or_default().replace(['-', ':'], "");
        let (millis, random) = (now.as_millis().rem_euclid(1000), rng.hex_id());
        Self(format!("{seconds}{millis:03}Z-{}", random.get(..8).unwrap_or_default()))
    }

    /// Reads one.
    ///
    /// # Errors
    /// [`BackupError::Unknown`].
    pub fn parse(text: &str) -> Result<Self, BackupError> {
        let is_name =
            (10..=40).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        if is_name { Ok(Self(text.to_owned())) } else { Err(BackupError::Unknown(text.chars().take(60).collect())) }
    }
}

impl fmt::Display for SnapshotName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for SnapshotName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl BackupStore {
    /// Opens the directory, or makes it.
    ///
    /// # Errors
    /// [`BackupError::Foreign`] when it has something else in it; any error of the disk.
    pub fn open_or_create(root: &Path) -> Result<Self, BackupError> {
        let store = Self { root: root.to_owned() };
        let marker = root.join(MARKER);
        if !marker.exists() {
            let is_empty = match fs::read_dir(root) {
                Ok(mut entries) => entries.next().is_none(),
                Err(error) if error.kind() == io::ErrorKind::NotFound => true,
                Err(error) => return Err(BackupError::io("look into", root)(error)),
            };
            if !is_empty {
                return Err(BackupError::Foreign(root.to_owned()));
            }
            durable::create_private_directory(root).map_err(BackupError::io("create", root))?;
            durable::write(&marker, MARKER_TEXT.as_bytes(), 0o600).map_err(BackupError::io("write", &marker))?;
        }
        for below in ["objects", "backups"] {
            let path = root.join(below);
            durable::create_private_directory(&path).map_err(BackupError::io("create", &path))?;
        }
        store.check()?;
        Ok(store)
    }

    /// Opens a directory that has backups.
    ///
    /// # Errors
    /// [`BackupError::NoBackups`]; [`BackupError::Newer`].
    pub fn open(root: &Path) -> Result<Self, BackupError> {
        let store = Self { root: root.to_owned() };
        store.check()?;
        Ok(store)
    }

    fn check(&self) -> Result<(), BackupError> {
        match read_small(&self.root.join(MARKER)) {
            Ok(text) if text == MARKER_TEXT => Ok(()),
            Ok(text) if text.starts_with("sealyard-backups ") => Err(BackupError::Newer(text.trim().to_owned())),
            _ => Err(BackupError::NoBackups(self.root.clone())),
        }
    }

    /// The directory.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Has it for one backup alone, and removes what those left that were interrupted.
    ///
    /// # Errors
    /// [`BackupError::InUse`]; any error of the disk.
    pub fn lock(&self) -> Result<StoreLock, BackupError> {
        let path = self.root.join("lock");
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let lock = options.open(&path).map_err(BackupError::io("open", &path))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(fs::TryLockError::WouldBlock) => return Err(BackupError::InUse(self.root.clone())),
            Err(fs::TryLockError::Error(error)) => return Err(BackupError::io("lock", &path)(error)),
        }
        for below in ["objects", "backups"] {
            let directory = self.root.join(below);
            let entries = fs::read_dir(&directory).map_err(BackupError::io("look into", &directory))?;
            for entry in entries.flatten().filter(|entry| entry.file_name().to_string_lossy().starts_with(PENDING)) {
                let path = entry.path();
                let removed = if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
                removed.map_err(BackupError::io("remove", &path))?;
            }
        }
        Ok(StoreLock { _file: lock })
    }

    /// The backups that are whole, the oldest first.
    ///
    /// # Errors
    /// Any error of the disk.
    pub fn snapshots(&self) -> Result<Vec<SnapshotName>, BackupError> {
        let directory = self.root.join("backups");
        let entries = fs::read_dir(&directory).map_err(BackupError::io("look into", &directory))?;
        let mut found: Vec<SnapshotName> = entries
            .flatten()
            .filter_map(|entry| SnapshotName::parse(&entry.file_name().to_string_lossy()).ok())
            .filter(|name| self.manifest_path(name).is_file())
            .collect();
        found.sort();
        Ok(found)
    }

    fn manifest_path(&self, name: &SnapshotName) -> PathBuf {
        self.folder(name).join("manifest")
    }

    pub(crate) fn folder(&self, name: &SnapshotName) -> PathBuf {
        self.root.join("backups").join(&name.0)
    }

    pub(crate) fn pending_folder(&self, name: &SnapshotName) -> PathBuf {
        self.root.join("backups").join(format!("{PENDING}{name}"))
    }

    pub(crate) fn manifest(&self, name: &SnapshotName) -> Result<String, BackupError> {
        let path = self.manifest_path(name);
        match read_small(&path) {
            Ok(text) => Ok(text),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(BackupError::Unknown(name.to_string())),
            Err(error) => Err(BackupError::io("read", path)(error)),
        }
    }

    pub(crate) fn object_path(&self, stored: &Digest) -> PathBuf {
        let name = stored.to_hex();
        self.root.join("objects").join(name.get(..2).unwrap_or_default()).join(name)
    }

    /// Whether it has a file of this length under the digest.
    pub(crate) fn has(&self, stored: &Digest, size: u64) -> bool {
        self.object_path(stored).metadata().is_ok_and(|there| there.is_file() && there.len() == size)
    }

    /// Whether it has an object, and every byte is what it was.
    pub(crate) fn has_intact(&self, stored: &Digest, size: u64) -> bool {
        digest_of_file(&self.object_path(stored), size).is_ok_and(|found| found == Some(*stored))
    }

    /// Copies what `from` gives, and keeps it by its digest; gives that, its length, and whether it was new.
    pub(crate) fn put_object(&self, from: &mut dyn Read, rng: &dyn Rng) -> Result<(Digest, u64, bool), BackupError> {
        let pending = self.root.join("objects").join(format!("{PENDING}{}", rng.hex_id()));
        let file = durable::create(&pending, 0o600).map_err(BackupError::io("create", &pending))?;
        let kept = (|| {
            let mut to = HashingWriter::new(file);
            io::copy(from, &mut to).map_err(BackupError::io("copy an object to", &pending))?;
            let (file, digest, size) = to.finish();
            let path = self.object_path(&digest);
            // A copy that was damaged meanwhile is replaced.
            if self.has_intact(&digest, size) {
                return Ok((digest, size, false));
            }
            file.sync_all().map_err(BackupError::io("write", &pending))?;
            let shard = path.parent().unwrap_or(&path);
            if !shard.is_dir() {
                durable::create_private_directory(shard).map_err(BackupError::io("create", shard))?;
                durable::sync_parent(shard).map_err(BackupError::io("write", shard))?;
            }
            fs::rename(&pending, &path).map_err(BackupError::io("write", &path))?;
            durable::sync_parent(&path).map_err(BackupError::io("write", &path))?;
            Ok((digest, size, true))
        })();
        let _ = fs::remove_file(&pending);
        kept
    }
}

fn read_small(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    File::open(path)?.take(LONGEST_MANIFEST + 1).read_to_string(&mut text)?;
    if text.len() as u64 > LONGEST_MANIFEST {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    Ok(text)
}

/// Writes a file of a backup that is being made.
pub(crate) fn create_file(path: &Path) -> Result<io::BufWriter<HashingWriter<File>>, BackupError> {
    let file = durable::create(path, 0o600).map_err(BackupError::io("create", path))?;
    Ok(io::BufWriter::with_capacity(256 * 1024, HashingWriter::new(file)))
}

/// Sees to it that it is on the disk.
pub(crate) fn finish_file(
    path: &Path,
    writer: io::BufWriter<HashingWriter<File>>,
) -> Result<(Digest, u64), BackupError> {
    let mut writer = writer;
    writer.flush().map_err(BackupError::io("write", path))?;
    let inner = writer.into_inner().map_err(|error| BackupError::io("write", path)(error.into_error()))?;
    let (file, digest, size) = inner.finish();
    file.sync_all().map_err(BackupError::io("write", path))?;
    Ok((digest, size))
}

#[cfg(test)]
mod tests {
    use sealyard_core::SystemRng;

    use super::*;

    #[test]
    fn later_names_are_greater_and_nothing_else_is_a_name() {
        let name = |millis| SnapshotName::new(Timestamp::from_millis(millis), &SystemRng);
        assert!(name(1_800_000_000_007) < name(1_800_000_000_008) && name(1_799_999_999_999) < name(1_800_000_000_000));
        assert_eq!(SnapshotName::parse(&name(5).to_string()).unwrap().to_string().len(), 28);
        for text in
            ["", "..", "../../../etc", ".pending-20260101T120000000Z-0123abcd", "a/b/c/d/e/f/g", "20260101 120000"]
        {
            assert!(SnapshotName::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_folder_with_something_else_is_left_alone_and_what_was_interrupted_goes() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("backups");
        fs::create_dir(&root).unwrap();
        fs::write(root.join("notes.txt"), "mine").unwrap();
        assert!(matches!(BackupStore::open_or_create(&root), Err(BackupError::Foreign(_))));
        assert!(matches!(BackupStore::open(&root), Err(BackupError::NoBackups(_))));
        fs::remove_file(root.join("notes.txt")).unwrap();
        let store = BackupStore::open_or_create(&root).unwrap();
        let half = store.pending_folder(&SnapshotName::parse("20260101T120000000Z-0123abcd").unwrap());
        fs::create_dir(&half).unwrap();
        fs::write(half.join("catalog"), "half").unwrap();
        fs::write(root.join("objects/.pending-1"), "half").unwrap();
        assert_eq!(store.snapshots().unwrap(), []);
        let lock = store.lock().unwrap();
        assert!(!half.exists() && !root.join("objects/.pending-1").exists());
        assert!(matches!(store.lock(), Err(BackupError::InUse(_))));
        drop(lock);
        let (digest, size, new) = store.put_object(&mut &b"bytes"[..], &SystemRng).unwrap();
        assert_eq!((digest, size, new), (Digest::of(b"bytes"), 5, true));
        assert_eq!(store.put_object(&mut &b"bytes"[..], &SystemRng).unwrap(), (digest, 5, false));
        fs::write(store.object_path(&digest), "byteX").unwrap();
        assert_eq!(store.put_object(&mut &b"bytes"[..], &SystemRng).unwrap(), (digest, 5, true), "it is mended");
        assert_eq!(fs::read(store.object_path(&digest)).unwrap(), b"bytes");
        fs::write(root.join(MARKER), "sealyard-backups 2\n").unwrap();
        assert!(matches!(BackupStore::open(&root), Err(BackupError::Newer(_))));
    }
}
