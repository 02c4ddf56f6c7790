//! A private copy of the project and a check of its data: what was hashed is what the command sees.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{Read, Write as _};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::FileType;
use sealyard_core::{Digest, FileEntry, FileTree, Hasher, TreePath};

use crate::files::{io, open_beneath, open_plain, open_root, project};
use crate::project::Pin;
use crate::{PinnedData, RunError};

const MAX_FILES: usize = 50_000;
const MAX_FOLDERS: usize = if cfg!(test) { 100 } else { 10_000 };
const MAX_BYTES: u64 = 2 << 30;
/// Larger data is shown where it lies and hashed once more after the run.
const MAX_COPIED_DATA: u64 = 256 << 20;
/// Never a part of a project's source.
const SKIPPED: [&str; 11] = [
    ".git",
    ".venv",
    "venv",
    ".tox",
    "__pycache__",
    ".mypy_cache",
    ".ruff_cache",
    ".ipynb_checkpoints",
    "node_modules",
    "mlruns",
    "mlartifacts",
];

/// The copy; gone when dropped.
#[derive(Debug)]
pub(crate) struct Staged {
    pub(crate) directory: tempfile::TempDir,
    pub(crate) tree: FileTree,
    pub(crate) data: BTreeMap<String, StagedData>,
}

/// Pinned data, hashed.
#[derive(Debug)]
pub(crate) struct StagedData {
    pub(crate) record: PinnedData,
    /// What is shown to the command.
    pub(crate) shown: PathBuf,
    /// The file at the time when it was hashed, unless it was copied.
    seen: Option<Identity>,
}

/// What changes with a file's content or place, whoever sets its times back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Identity {
    device: u64,
    inode: u64,
    size: u64,
    changed: (i64, i64),
}

impl Identity {
    fn of(metadata: &Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            size: metadata.size(),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }
}

/// Copies `source`, and hashes the pinned data against `pins` and what the caller `expected`.
pub(crate) fn stage(
    source: &Path,
    pins: &BTreeMap<String, Pin>,
    expected: &BTreeMap<String, Digest>,
    cache: &Path,
) -> Result<Staged, RunError> {
    let directory = tempfile::Builder::new()
        .prefix(&sealyard_env::scratch_prefix("run"))
        .tempdir_in(cache)
        .map_err(io("create a folder in", cache))?;
    let root = directory.path().join("project");
    let shown = directory.path().join("data");
    for folder in [directory.path(), &root, &shown] {
        fs::create_dir_all(folder).map_err(io("create", folder))?;
    }
    // What is shown must be readable for the sandbox's user, whatever the caller's umask; the folder around it stays private.
    for folder in [&root, &shown] {
        set_mode(folder, 0o755)?;
    }
    let opened = open_root(source)?;
    let data = check_data((&opened, source), pins, expected, &shown)?;
    let pinned: BTreeSet<&str> = pins.values().map(|pin| pin.path.as_str()).collect();
    let mut copy = Copy { source, root: root.clone(), entries: Vec::new(), folders: 0, bytes: 0, pinned };
    copy.folder(&opened, "")?;
    let tree = FileTree::new(copy.entries).map_err(|error| project(source, error.to_string()))?;
    Ok(Staged { directory, tree, data })
}

impl Staged {
    /// The copy of the project.
    pub(crate) fn root(&self) -> PathBuf {
        self.directory.path().join("project")
    }

    /// Hashes again what was not copied. Bytes that were changed and changed back show by the file's time of change.
    pub(crate) fn check_again(&self) -> Result<(), RunError> {
        for (name, data) in &self.data {
            let Some(seen) = data.seen else { continue };
            let (file, metadata) = open_plain(&data.shown)?;
            let (found, _) = Digest::of_reader(file).map_err(io("read", &data.shown))?;
            if found != data.record.digest {
                let (name, path, expected) = (name.clone(), data.shown.clone(), data.record.digest);
                return Err(RunError::DataDigest { name, path, expected, found });
            }
            if Identity::of(&metadata) != seen {
                let (name, path) = (name.clone(), data.shown.clone());
                return Err(RunError::DataTouched { name, path });
            }
        }
        Ok(())
    }
}

struct Copy<'a> {
    source: &'a Path,
    root: PathBuf,
    entries: Vec<FileEntry>,
    folders: usize,
    bytes: u64,
    pinned: BTreeSet<&'a str>,
}

impl Copy<'_> {
    /// Copies the folder at `prefix`, open as `folder`.
    fn folder(&mut self, folder: &File, prefix: &str) -> Result<(), RunError> {
        let shown = self.source.join(prefix);
        let failed = |error: rustix::io::Errno| io("read", &shown)(error.into());
        for entry in rustix::fs::Dir::read_from(folder).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let name = entry.file_name().to_str().map_err(|_| project(&shown, "a name in it is not UTF-8"))?;
            if matches!(name, "." | "..") || SKIPPED.contains(&name) {
                continue;
            }
            let place = if prefix.is_empty() { name.to_owned() } else { format!("{prefix}/{name}") };
            let path = self.source.join(&place);
            let place = TreePath::new(&place).map_err(|error| project(&path, error.to_string()))?;
            if !matches!(entry.file_type(), FileType::Directory | FileType::RegularFile | FileType::Unknown) {
                return Err(project(&path, "it is neither a file nor a folder; a project with links can't be pinned"));
            }
            let target = self.root.join(&place);
            if self.pinned.contains(place.as_str()) {
                // The data has a digest of its own; here is only where it will be shown.
                File::create(&target).map_err(io("create", &target))?;
                set_mode(&target, 0o644)?;
                continue;
            }
            let (file, metadata) = open_beneath(folder, Path::new(name), &path)?;
            if metadata.is_file() {
                self.file((file, &metadata), &path, place, &target)?;
                continue;
            }
            self.folders += 1;
            if self.folders > MAX_FOLDERS {
                return Err(project(&path, format!("the project has more than {MAX_FOLDERS} folders")));
            }
            fs::create_dir(&target).map_err(io("create", &target))?;
            set_mode(&target, 0o755)?;
            self.folder(&file, place.as_str())?;
        }
        Ok(())
    }

    fn file(
        &mut self,
        (file, metadata): (File, &Metadata),
        source: &Path,
        place: TreePath,
        target: &Path,
    ) -> Result<(), RunError> {
        let executable = metadata.permissions().mode() & 0o111 != 0;
        let (digest, size) = copy(file, source, target, MAX_BYTES.saturating_sub(self.bytes))?;
        set_mode(target, if executable { 0o755 } else { 0o644 })?;
        self.bytes += size;
        if self.entries.len() >= MAX_FILES {
            return Err(project(source, format!("the project has more than {MAX_FILES} files")));
        }
        self.entries.push(FileEntry { path: place, size, digest, executable });
        Ok(())
    }
}

fn check_data(
    (opened, source): (&File, &Path),
    pins: &BTreeMap<String, Pin>,
    expected: &BTreeMap<String, Digest>,
    shown: &Path,
) -> Result<BTreeMap<String, StagedData>, RunError> {
    if let Some(name) = expected.keys().find(|name| !pins.contains_key(*name)) {
        return Err(RunError::DataUnpinned { name: name.clone() });
    }
    let mut data = BTreeMap::new();
    for (name, pin) in pins {
        let path = source.join(&pin.path);
        let pinned = Digest::from_hex(&pin.sha256)
            .map_err(|error| project(&source.join("sealyard.toml"), format!("data.{name}: {error}")))?;
        let (file, metadata) = open_beneath(opened, Path::new(pin.path.as_str()), &path)?;
        if !metadata.is_file() {
            return Err(project(&path, "it is not a regular file"));
        }
        let size = metadata.len();
        let copied = size <= MAX_COPIED_DATA;
        let target = shown.join(name);
        let (found, size) = if copied {
            copy(file, &path, &target, MAX_COPIED_DATA)?
        } else {
            Digest::of_reader(file).map_err(io("read", &path))?
        };
        for expected in [Some(pinned), expected.get(name).copied()].into_iter().flatten() {
            if found != expected {
                return Err(RunError::DataDigest { name: name.clone(), path, expected, found });
            }
        }
        let path_shown = if copied {
            set_mode(&target, 0o644)?;
            target
        } else {
            let shown = fs::canonicalize(&path).map_err(io("read", &path))?;
            if Identity::of(&open_plain(&shown)?.1) != Identity::of(&metadata) {
                return Err(RunError::DataTouched { name: name.clone(), path });
            }
            shown
        };
        let record = PinnedData { path: pin.path.to_string(), digest: found, size, copied };
        let seen = (!copied).then(|| Identity::of(&metadata));
        data.insert(name.clone(), StagedData { record, shown: path_shown, seen });
    }
    Ok(data)
}

/// Copies at most `most` bytes and hashes what was copied.
fn copy(file: File, source: &Path, target: &Path, most: u64) -> Result<(Digest, u64), RunError> {
    let mut out = OpenOptions::new().write(true).create_new(true).open(target).map_err(io("create", target))?;
    let mut reader = file.take(most.saturating_add(1));
    let (mut hasher, mut size, mut buffer) = (Hasher::default(), 0_u64, vec![0; 1 << 16]);
    loop {
        let read = reader.read(&mut buffer).map_err(io("read", source))?;
        let bytes = buffer.get(..read).unwrap_or_default();
        if bytes.is_empty() {
            break;
        }
        hasher.update(bytes);
        out.write_all(bytes).map_err(io("write", target))?;
        size += read as u64;
    }
    if size > most {
        return Err(project(source, "the project is too large; pin large files as data in sealyard.toml"));
    }
    Ok((hasher.finish(), size))
}

fn set_mode(path: &Path, mode: u32) -> Result<(), RunError> {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).map_err(io("write", path))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> (tempfile::TempDir, BTreeMap<String, Pin>) {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("train.py"), "print()").unwrap();
        fs::create_dir(directory.path().join("data")).unwrap();
        fs::write(directory.path().join("data/x.csv"), "1,2").unwrap();
        let pin = Pin { path: TreePath::new("data/x.csv").unwrap(), sha256: Digest::of(b"1,2").to_hex() };
        (directory, BTreeMap::from([("x".to_owned(), pin)]))
    }

    #[test]
    fn data_is_what_was_pinned_or_nothing_starts() {
        let (project, pins) = sample();
        let cache = tempfile::tempdir().unwrap();
        let run = |expected: &[(&str, Digest)]| {
            let expected = expected.iter().map(|(name, digest)| ((*name).to_owned(), *digest)).collect();
            stage(project.path(), &pins, &expected, cache.path())
        };
        let staged = run(&[("x", Digest::of(b"1,2"))]).unwrap();
        assert_eq!(fs::read(&staged.data["x"].shown).unwrap(), b"1,2");
        assert_eq!(staged.tree.entries().len(), 1, "data is not a part of the source");
        assert_eq!(fs::read(staged.root().join("data/x.csv")).unwrap(), b"");
        assert_eq!(run(&[("x", Digest::of(b"1"))]).unwrap_err().rule(), Some("data.digest"));
        assert_eq!(run(&[("y", Digest::of(b"1"))]).unwrap_err().rule(), Some("data.unpinned"));
        fs::write(project.path().join("data/x.csv"), "1,3").unwrap();
        assert_eq!(run(&[]).unwrap_err().rule(), Some("data.digest"));
        drop(staged);
        assert_eq!(fs::read_dir(cache.path()).unwrap().count(), 0, "nothing is left behind");
    }

    #[test]
    fn data_that_was_not_copied_is_hashed_again_after_the_run() {
        let (project, pins) = sample();
        let cache = tempfile::tempdir().unwrap();
        let mut staged = stage(project.path(), &pins, &BTreeMap::new(), cache.path()).unwrap();
        let path = project.path().join("data/x.csv");
        let data = staged.data.get_mut("x").unwrap();
        (data.seen, data.shown) = (Some(Identity::of(&fs::metadata(&path).unwrap())), path.clone());
        staged.check_again().unwrap();
        // Other bytes for a while, then the old ones, and the time of change set back as far as anybody can.
        let modified = fs::metadata(&path).unwrap().modified().unwrap();
        std::thread::sleep(std::time::Duration::from_millis(20));
        fs::write(&path, "9,9").unwrap();
        fs::write(&path, "1,2").unwrap();
        OpenOptions::new().write(true).open(&path).unwrap().set_modified(modified).unwrap();
        assert_eq!(staged.check_again().unwrap_err().rule(), Some("data.digest"));
        fs::write(&path, "9,9").unwrap();
        assert_eq!(staged.check_again().unwrap_err().rule(), Some("data.digest"));
    }

    #[test]
    fn empty_folders_are_not_copied_without_end() {
        let (project, pins) = sample();
        let cache = tempfile::tempdir().unwrap();
        for number in 0..MAX_FOLDERS {
            fs::create_dir(project.path().join(format!("folder-{number}"))).unwrap();
        }
        let error = stage(project.path(), &pins, &BTreeMap::new(), cache.path()).unwrap_err();
        assert!(error.to_string().contains("folders"), "{error}");
    }

    #[test]
    fn links_do_not_lead_out_of_the_project() {
        let (project, pins) = sample();
        let cache = tempfile::tempdir().unwrap();
        fs::remove_file(project.path().join("data/x.csv")).unwrap();
        std::os::unix::fs::symlink("/etc/passwd", project.path().join("data/x.csv")).unwrap();
        assert!(stage(project.path(), &pins, &BTreeMap::new(), cache.path()).is_err());
        assert!(stage(project.path(), &BTreeMap::new(), &BTreeMap::new(), cache.path()).is_err());
        // Nor does one in the middle of a pin's path, or one that takes a folder's place after it was looked at.
        let (project, pins) = sample();
        let elsewhere = tempfile::tempdir().unwrap();
        fs::rename(project.path().join("data"), elsewhere.path().join("data")).unwrap();
        std::os::unix::fs::symlink(elsewhere.path().join("data"), project.path().join("data")).unwrap();
        let error = stage(project.path(), &pins, &BTreeMap::new(), cache.path()).unwrap_err();
        assert!(matches!(&error, RunError::Io { source, .. } if source.raw_os_error() == Some(40)), "{error:?}");
        let root = open_root(project.path()).unwrap();
        for place in ["data", "data/x.csv", "..", "/etc/passwd", "../x"] {
            assert!(open_beneath(&root, Path::new(place), project.path()).is_err(), "{place}");
        }
        assert!(open_beneath(&root, Path::new("train.py"), project.path()).is_ok());
    }
}
