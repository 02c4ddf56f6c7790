//! The record of every file of a built environment, and the check against it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use sealyard_core::{Digest, FileEntry, FileTree, TreePath};
use serde::{Deserialize, Serialize};

use crate::own::is_own;
use crate::{EnvError, InterpreterRecord, Wheel};

const MAX_BYTES: u64 = 512 << 20;
const MAX_FILES: usize = 1_000_000;

/// What `manifest.json` beside an environment says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Manifest {
    pub(crate) format: u32,
    pub(crate) lock: Digest,
    pub(crate) interpreter: InterpreterRecord,
    pub(crate) wheels: Vec<Wheel>,
    /// Symbolic links and their targets.
    pub(crate) links: BTreeMap<TreePath, String>,
    pub(crate) files: FileTree,
}

impl Manifest {
    pub(crate) fn read(path: &Path) -> Option<Self> {
        if fs::metadata(path).ok()?.len() > MAX_BYTES {
            return None;
        }
        serde_json::from_slice(&fs::read(path).ok()?).ok()
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }
}

/// Hashes everything below `root`: files, and links with their targets.
pub(crate) fn survey(root: &Path) -> Result<(FileTree, BTreeMap<TreePath, String>), EnvError> {
    let mut files: Vec<(TreePath, PathBuf)> = Vec::new();
    let mut links = BTreeMap::new();
    let mut pending = vec![(root.to_path_buf(), String::new())];
    let odd = |path: &Path| EnvError::Io {
        action: "use as a part of an environment",
        path: path.to_path_buf(),
        source: std::io::Error::other("it is neither a file nor a link with a plain name, or there are too many"),
    };
    while let Some((directory, prefix)) = pending.pop() {
        if !fs::symlink_metadata(&directory).is_ok_and(|metadata| is_own(&metadata)) {
            return Err(foreign(&directory));
        }
        for entry in fs::read_dir(&directory).map_err(EnvError::io("read", &directory))? {
            let entry = entry.map_err(EnvError::io("read", &directory))?;
            let path = entry.path();
            let name = entry.file_name().into_string().map_err(|_| odd(&path))?;
            let name = if prefix.is_empty() { name } else { format!("{prefix}/{name}") };
            let kind = entry.file_type().map_err(EnvError::io("read", &path))?;
            if kind.is_dir() {
                pending.push((path, name));
                continue;
            }
            let tree_path = TreePath::new(&name).map_err(|_| odd(&path))?;
            if kind.is_symlink() {
                let target = fs::read_link(&path).map_err(EnvError::io("read", &path))?;
                links.insert(tree_path, target.to_str().ok_or_else(|| odd(&path))?.to_owned());
            } else if kind.is_file() && files.len() < MAX_FILES {
                files.push((tree_path, path));
            } else {
                return Err(odd(&path));
            }
        }
    }
    let entries = crate::parallel::map(&files, |(path, place)| entry(path, place), &mut |_| {})?;
    let tree = FileTree::new(entries).map_err(|_| odd(root))?;
    Ok((tree, links))
}

fn foreign(path: &Path) -> EnvError {
    EnvError::io("use as a part of an environment", path)(std::io::Error::other("another user can change it"))
}

fn entry(path: &TreePath, place: &Path) -> Result<FileEntry, EnvError> {
    use std::os::unix::fs::PermissionsExt as _;
    let file = fs::File::open(place).map_err(EnvError::io("open", place))?;
    let metadata = file.metadata().map_err(EnvError::io("read", place))?;
    if !is_own(&metadata) {
        return Err(foreign(place));
    }
    let mode = metadata.permissions().mode();
    let (digest, size) = Digest::of_reader(file).map_err(EnvError::io("read", place))?;
    Ok(FileEntry { path: path.clone(), size, digest, executable: mode & 0o111 != 0 })
}
