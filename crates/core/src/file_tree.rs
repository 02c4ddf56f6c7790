use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{Digest, Hasher};

/// First line of what [`FileTree::digest`] hashes; binds the digest to this layout.
const DOMAIN: &[u8] = b"sealyard-file-tree-v1\n";
const MAX_PATH_BYTES: usize = 1024;
const MAX_COMPONENT_BYTES: usize = 255;

/// A relative path of plain components separated by `/`.
///
/// There is no way to write `..`, an absolute path, a backslash, a drive letter, a NUL, a control character or an
/// empty component in one, so whoever holds a `TreePath` can join it to a directory.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TreePath(String);

impl TreePath {
    /// Checks `text`.
    ///
    /// # Errors
    /// [`TreePathError`] names what is wrong with it.
    pub fn new(text: &str) -> Result<Self, TreePathError> {
        let refuse = |why| Err(TreePathError { path: text.chars().take(120).collect(), why });
        if text.is_empty() {
            return refuse("it is empty");
        }
        if text.len() > MAX_PATH_BYTES {
            return refuse("it is longer than 1024 bytes");
        }
        if text.starts_with('/') {
            return refuse("it is absolute");
        }
        if text.contains('\\') {
            return refuse("it holds a backslash");
        }
        if text.chars().any(char::is_control) {
            return refuse("it holds a control character");
        }
        if text.as_bytes().get(1) == Some(&b':') {
            return refuse("it starts with a drive letter");
        }
        for component in text.split('/') {
            match component {
                "" => return refuse("it has an empty component"),
                "." | ".." => return refuse("it steps through `.` or `..`"),
                long if long.len() > MAX_COMPONENT_BYTES => {
                    return refuse("a component is longer than 255 bytes");
                }
                _ => {}
            }
        }
        Ok(Self(text.to_owned()))
    }

    /// The path as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The last component.
    #[must_use]
    pub fn file_name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or(&self.0)
    }
}

impl fmt::Display for TreePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for TreePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

impl AsRef<std::path::Path> for TreePath {
    fn as_ref(&self) -> &std::path::Path {
        std::path::Path::new(&self.0)
    }
}

impl FromStr for TreePath {
    type Err = TreePathError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::new(text)
    }
}

impl Serialize for TreePath {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for TreePath {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

/// The path is not a plain relative one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the path {path:?} is refused: {why}")]
pub struct TreePathError {
    path: String,
    why: &'static str,
}

/// One file of a [`FileTree`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileEntry {
    /// Where it lies below the root.
    pub path: TreePath,
    /// Size in bytes.
    pub size: u64,
    /// SHA-256 of the content.
    pub digest: Digest,
    /// Whether any execute bit is set; the only mode bit that is bound.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub executable: bool,
}

/// The files of a model, data set or project: the one identity Sealyard gives them.
///
/// Names, sizes, contents and the execute bit are bound; directories, times and owners are not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct FileTree(Vec<FileEntry>);

impl FileTree {
    /// A tree of `entries`, in any order.
    ///
    /// # Errors
    /// [`FileTreeError`] when there is no file, when a path occurs twice, or when a file is also a directory.
    pub fn new(entries: impl IntoIterator<Item = FileEntry>) -> Result<Self, FileTreeError> {
        let mut sorted = BTreeMap::new();
        for entry in entries {
            if let Some(previous) = sorted.insert(entry.path.clone(), entry) {
                return Err(FileTreeError::Twice(previous.path));
            }
        }
        if sorted.is_empty() {
            return Err(FileTreeError::Empty);
        }
        for path in sorted.keys() {
            for (position, _) in path.as_str().match_indices('/') {
                let parent = TreePath(path.as_str().get(..position).unwrap_or_default().to_owned());
                if sorted.contains_key(&parent) {
                    return Err(FileTreeError::FileAndDirectory(parent));
                }
            }
        }
        Ok(Self(sorted.into_values().collect()))
    }

    /// Reads and hashes every regular file below `root`.
    ///
    /// # Errors
    /// [`FileTreeError`] on anything that is neither a regular file nor a directory (symbolic links too), on a
    /// name that is not UTF-8 or not a plain path, on a read error, and when there is no file.
    pub fn of_directory(root: &std::path::Path) -> Result<Self, FileTreeError> {
        let mut entries = Vec::new();
        let mut pending = vec![(root.to_path_buf(), String::new())];
        while let Some((directory, prefix)) = pending.pop() {
            let io = |source| FileTreeError::Read { path: directory.clone(), source };
            for entry in std::fs::read_dir(&directory).map_err(io)? {
                let entry = entry.map_err(io)?;
                let path = entry.path();
                let read = |source| FileTreeError::Read { path: path.clone(), source };
                let name = entry.file_name();
                let Some(name) = name.to_str() else {
                    return Err(FileTreeError::NotPlain(path));
                };
                let name = if prefix.is_empty() { name.to_owned() } else { format!("{prefix}/{name}") };
                let kind = entry.file_type().map_err(read)?;
                if kind.is_dir() {
                    pending.push((path, name));
                } else if kind.is_file() {
                    let file = std::fs::File::open(&path).map_err(read)?;
                    let executable = is_executable(&file.metadata().map_err(read)?);
                    let (digest, size) = Digest::of_reader(file).map_err(read)?;
                    let path = TreePath::new(&name)?;
                    entries.push(FileEntry { path, size, digest, executable });
                } else {
                    return Err(FileTreeError::NotPlain(path));
                }
            }
        }
        Self::new(entries)
    }

    /// The files in the order of their paths' bytes.
    #[must_use]
    pub fn entries(&self) -> &[FileEntry] {
        &self.0
    }

    /// The file at `path`.
    #[must_use]
    pub fn get(&self, path: &TreePath) -> Option<&FileEntry> {
        let position = self.0.binary_search_by(|entry| entry.path.cmp(path)).ok()?;
        self.0.get(position)
    }

    /// SHA-256 over a header line and, for each file in order, one line
    /// `<hex digest> <size> <x or -> <length of the path in bytes> <path>`.
    #[must_use]
    pub fn digest(&self) -> Digest {
        let mut hasher = Hasher::default();
        hasher.update(DOMAIN);
        for FileEntry { path, size, digest, executable } in &self.0 {
            let mode = if *executable { 'x' } else { '-' };
            let path = path.as_str();
            let line = format!("{} {size} {mode} {} {path}\n", digest.to_hex(), path.len());
            hasher.update(line.as_bytes());
        }
        hasher.finish()
    }
}

impl<'de> Deserialize<'de> for FileTree {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(Vec::<FileEntry>::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

#[cfg(unix)]
fn is_executable(metadata: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    metadata.permissions().mode() & 0o111 != 0
}

#[cfg(not(unix))]
fn is_executable(_: &std::fs::Metadata) -> bool {
    false
}

/// The files do not make a tree.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileTreeError {
    /// There is no file at all.
    #[error("there is no file in it")]
    Empty,
    /// The same path occurs twice.
    #[error("the path {0} occurs twice")]
    Twice(TreePath),
    /// A file would have to be a directory too.
    #[error("{0} is both a file and a directory")]
    FileAndDirectory(TreePath),
    /// A name that is no plain path.
    #[error(transparent)]
    Path(#[from] TreePathError),
    /// A symbolic link, a device, a socket, or a name that is not UTF-8.
    #[error("{0} is neither a regular file nor a directory with a plain name")]
    NotPlain(std::path::PathBuf),
    /// The disk said no.
    #[error("could not read {path}")]
    Read {
        /// What was read.
        path: std::path::PathBuf,
        /// Why it failed.
        source: std::io::Error,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(path: &str, content: &[u8]) -> FileEntry {
        FileEntry {
            path: TreePath(path.to_owned()),
            size: content.len() as u64,
            digest: Digest::of(content),
            executable: false,
        }
    }

    #[test]
    fn paths_that_leave_the_tree_are_refused() {
        let refused = [
            "",
            "/",
            "/etc/passwd",
            "..",
            "a/../b",
            "../a",
            "a/..",
            ".",
            "./a",
            "a//b",
            "a/",
            "a\\..\\b",
            "a\0b",
            "a\nb",
            "C:/x",
        ];
        for path in refused {
            assert!(TreePath::new(path).is_err(), "{path:?} was accepted");
        }
        for path in ["a", "a/b.c", "..a", "a..", "tok é.json", ".gitignore"] {
            assert!(TreePath::new(path).is_ok(), "{path:?} was refused");
        }
    }

    #[test]
    fn names_contents_and_mode_are_bound() {
        let base = FileTree::new([entry("a", b"1"), entry("b", b"2")]).unwrap();
        let same = FileTree::new([entry("b", b"2"), entry("a", b"1")]).unwrap();
        assert_eq!(base.digest(), same.digest());
        let renamed = FileTree::new([entry("a", b"1"), entry("c", b"2")]).unwrap();
        let exchanged = FileTree::new([entry("a", b"2"), entry("b", b"1")]).unwrap();
        let mut executable = base.clone();
        executable.0[0].executable = true;
        for other in [renamed, exchanged, executable] {
            assert_ne!(base.digest(), other.digest());
        }
    }

    #[test]
    fn duplicates_and_files_below_files_are_refused() {
        assert!(matches!(FileTree::new([entry("a", b"1"), entry("a", b"2")]), Err(FileTreeError::Twice(_))));
        assert!(matches!(
            FileTree::new([entry("a", b"1"), entry("a.b", b"1"), entry("a/b", b"2")]),
            Err(FileTreeError::FileAndDirectory(_))
        ));
        assert!(matches!(FileTree::new([]), Err(FileTreeError::Empty)));
    }

    #[test]
    fn links_in_a_directory_are_refused() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("a"), "1").unwrap();
        let plain = FileTree::of_directory(directory.path()).unwrap();
        assert_eq!(plain.digest(), FileTree::new([entry("a", b"1")]).unwrap().digest());
        std::os::unix::fs::symlink("/etc/passwd", directory.path().join("b")).unwrap();
        assert!(matches!(FileTree::of_directory(directory.path()), Err(FileTreeError::NotPlain(_))));
    }
}
