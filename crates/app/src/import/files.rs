use std::fs::File;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags, ResolveFlags};
use sealyard_core::TreePath;

use crate::AppError;

/// Files of an owner that are more than this are not a list to hold in memory.
const MOST_FILES: usize = 1_000_000;
/// Folders in folders.
const MOST_DEPTH: usize = 64;

/// The folder that the source's artifacts lie in. Nothing outside of it is ever opened, whatever the source's rows or links in
/// the folder say.
#[derive(Debug)]
pub(super) struct Files {
    root: OwnedFd,
    path: PathBuf,
}

/// What lies below an owner's artifact root.
#[derive(Debug, Default)]
pub(super) struct Listing {
    /// The owner's root, relative to the folder.
    pub(super) root: PathBuf,
    /// Regular files with their sizes.
    pub(super) files: Vec<(TreePath, u64)>,
    /// What is no regular file or has a name that no artifact can have, and why.
    pub(super) odd: Vec<(String, String)>,
}

impl Files {
    pub(super) fn open(path: &Path) -> Result<Self, AppError> {
        let unusable = |error: std::io::Error| {
            AppError::Invalid(format!("the folder of artifacts {} can't be used: {error}", path.display()))
        };
        let path = path.canonicalize().map_err(unusable)?;
        let root = rustix::fs::open(&path, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
            .map_err(|error| unusable(error.into()))?;
        Ok(Self { root, path })
    }

    /// Where an owner's artifacts are: what its URI says, if that is in the folder; else where MLflow puts them by itself.
    pub(super) fn locate(&self, uri: &str, usual: &str) -> Option<PathBuf> {
        let named = below_root(uri, &self.path);
        [named.as_deref(), Some(usual)].into_iter().flatten().find_map(|relative| {
            let relative = TreePath::new(relative.trim_matches('/')).ok()?;
            self.open_directory(Path::new(relative.as_str())).ok()?;
            Some(PathBuf::from(relative.as_str()))
        })
    }

    fn resolve(&self, relative: &Path, flags: OFlags) -> std::io::Result<OwnedFd> {
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
        let flags = flags | OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        Ok(rustix::fs::openat2(&self.root, relative, flags, Mode::empty(), resolve)?)
    }

    fn open_directory(&self, relative: &Path) -> std::io::Result<OwnedFd> {
        self.resolve(relative, OFlags::DIRECTORY)
    }

    /// A regular file below an owner's root.
    pub(super) fn open_file(&self, root: &Path, file: &TreePath) -> std::io::Result<File> {
        let file = File::from(self.resolve(&root.join(file.as_str()), OFlags::empty())?);
        if !file.metadata()?.is_file() {
            return Err(std::io::Error::other("it is not a regular file any more"));
        }
        Ok(file)
    }

    /// Everything below an owner's root, links not followed.
    pub(super) fn list(&self, root: PathBuf) -> Result<Listing, AppError> {
        let mut listing = Listing { root, ..Listing::default() };
        let mut folders = vec![(String::new(), 0)];
        while let Some((folder, depth)) = folders.pop() {
            let whole = listing.root.join(&folder);
            let unreadable = |error: std::io::Error| AppError::internal("a folder of the source can't be read", error);
            let opened = self.open_directory(&whole).map_err(unreadable)?;
            let entries = rustix::fs::Dir::read_from(&opened).map_err(|error| unreadable(error.into()))?;
            for entry in entries {
                let entry = entry.map_err(|error| unreadable(error.into()))?;
                let name = entry.file_name().to_bytes();
                if name == b"." || name == b".." {
                    continue;
                }
                let shown = String::from_utf8_lossy(name).into_owned();
                let path = if folder.is_empty() { shown } else { format!("{folder}/{shown}") };
                let Ok(tree_path) = TreePath::new(&path) else {
                    listing.odd.push((path, "an artifact can't have this name".into()));
                    continue;
                };
                let status = rustix::fs::statat(&opened, entry.file_name(), rustix::fs::AtFlags::SYMLINK_NOFOLLOW)
                    .map_err(|error| unreadable(error.into()))?;
                match rustix::fs::FileType::from_raw_mode(status.st_mode) {
                    rustix::fs::FileType::RegularFile => {
                        listing.files.push((tree_path, u64::try_from(status.st_size).unwrap_or_default()));
                    }
                    rustix::fs::FileType::Directory if depth < MOST_DEPTH => folders.push((path, depth + 1)),
                    rustix::fs::FileType::Directory => listing.odd.push((path, "it lies too deep".into())),
                    _ => listing.odd.push((path, "it is a link or a device; links are not followed".into())),
                }
                if listing.files.len() > MOST_FILES {
                    return Err(AppError::Invalid(format!("{} holds more than {MOST_FILES} files", whole.display())));
                }
            }
        }
        listing.files.sort();
        Ok(listing)
    }
}

/// The part of an artifact URI below the source's artifact root, if it tells.
fn below_root(uri: &str, root: &Path) -> Option<String> {
    if let Some(rest) = uri.strip_prefix("mlflow-artifacts:") {
        // `mlflow-artifacts://host:port/…` names a host first.
        let path = match rest.strip_prefix("//") {
            Some(rest) => rest.split_once('/').map(|(_, path)| path)?,
            None => rest,
        };
        return Some(path.trim_start_matches('/').to_owned());
    }
    let path = uri.strip_prefix("file://").or_else(|| uri.strip_prefix("file:")).unwrap_or(uri);
    let decoded = percent_decode(path)?;
    let relative = Path::new(&decoded).strip_prefix(root).ok()?;
    relative.to_str().map(str::to_owned)
}

/// `%20` and the like, once.
fn percent_decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        if *first == b'%' {
            let digits = tail.get(..2).and_then(|digits| std::str::from_utf8(digits).ok())?;
            bytes.push(u8::from_str_radix(digits, 16).ok()?);
            rest = tail.get(2..).unwrap_or_default();
        } else {
            bytes.push(*first);
            rest = tail;
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_outside_of_the_folder_is_found() {
        let outside = tempfile::tempdir().unwrap();
        std::fs::write(outside.path().join("secret"), b"secret").unwrap();
        let root = outside.path().join("mlruns");
        std::fs::create_dir_all(root.join("1/abc/artifacts/deep")).unwrap();
        std::fs::write(root.join("1/abc/artifacts/deep/a b.txt"), b"hello").unwrap();
        std::os::unix::fs::symlink(outside.path(), root.join("1/abc/artifacts/link")).unwrap();
        std::os::unix::fs::symlink(outside.path(), root.join("2")).unwrap();
        let files = Files::open(&root).unwrap();
        let usual = "1/abc/artifacts";
        let named = format!("file://{}/1/abc/artifacts", root.display());
        for uri in [
            named.as_str(),
            "mlflow-artifacts:/1/abc/artifacts",
            "mlflow-artifacts://h:1/1/abc/artifacts",
            "s3://b/x",
            "",
        ] {
            assert_eq!(files.locate(uri, usual), Some(usual.into()), "{uri}");
        }
        let away = [
            "file:///etc",
            "/etc",
            "mlflow-artifacts:/../..",
            "mlflow-artifacts:/2",
            "2",
            "..",
            "file:///../etc",
            "mlflow-artifacts:/%2e%2e",
        ];
        for uri in away {
            assert_eq!(files.locate(uri, "9/none/artifacts"), None, "{uri}");
        }
        let listing = files.list(usual.into()).unwrap();
        assert_eq!(listing.files, [(TreePath::new("deep/a b.txt").unwrap(), 5)]);
        assert_eq!(listing.odd.len(), 1, "the link");
        assert!(files.open_file(Path::new(usual), &listing.files[0].0).is_ok());
        assert!(files.open_file(Path::new(usual), &TreePath::new("link/secret").unwrap()).is_err());
    }
}
