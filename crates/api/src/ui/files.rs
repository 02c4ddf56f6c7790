use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use sealyard_core::Digest;

/// Files, bytes in all, and bytes of one: MLflow's UI has 200 files in 25 MB.
const MOST_FILES: usize = 10_000;
const MOST_BYTES: u64 = 512 << 20;
const LARGEST: u64 = 64 << 20;
const DEEPEST: usize = 16;

/// The folder can't be served.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PagesError {
    /// It is not a built UI.
    #[error("{0} holds no index.html: it is not a built UI")]
    NoIndex(PathBuf),
    /// It is not what a UI is like.
    #[error("{path} can't be served: {reason}")]
    Odd {
        /// Which file.
        path: PathBuf,
        /// What is odd.
        reason: &'static str,
    },
    /// It can't be read.
    #[error("could not read {path}")]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

/// The files of a built UI as they were when the server started.
///
/// Every file's path, size and digest is taken once. A request can name nothing but a path of this list, so there is no
/// path to step out with; and what is sent has the digest of the list, so a file that was exchanged meanwhile, or has
/// become a link to something else, is not sent.
#[derive(Debug)]
pub struct Pages {
    root: PathBuf,
    files: BTreeMap<String, PageFile>,
}

/// One file.
#[derive(Debug, Clone)]
pub(super) struct PageFile {
    path: PathBuf,
    size: u64,
    pub(super) digest: Digest,
    pub(super) content_type: &'static str,
}

impl Pages {
    /// Reads the folder. Links are not followed and not served.
    ///
    /// # Errors
    /// [`PagesError`].
    pub fn read(root: &Path) -> Result<Self, PagesError> {
        let root = fs::canonicalize(root).map_err(|source| PagesError::Read { path: root.to_owned(), source })?;
        let mut pages = Self { root: root.clone(), files: BTreeMap::new() };
        let mut bytes = 0;
        pages.walk(&root, "", 0, &mut bytes)?;
        if !pages.files.contains_key("index.html") {
            return Err(PagesError::NoIndex(root));
        }
        Ok(pages)
    }

    /// Where they are.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    fn walk(&mut self, folder: &Path, prefix: &str, depth: usize, bytes: &mut u64) -> Result<(), PagesError> {
        let odd = |path: &Path, reason| PagesError::Odd { path: path.to_owned(), reason };
        let read = |path: &Path, source| PagesError::Read { path: path.to_owned(), source };
        if depth > DEEPEST {
            return Err(odd(folder, "folders are nested too deep"));
        }
        for entry in fs::read_dir(folder).map_err(|source| read(folder, source))? {
            let path = entry.map_err(|source| read(folder, source))?.path();
            let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
            let relative = if prefix.is_empty() { name.to_owned() } else { format!("{prefix}/{name}") };
            let metadata = fs::symlink_metadata(&path).map_err(|source| read(&path, source))?;
            if metadata.is_dir() {
                self.walk(&path, &relative, depth + 1, bytes)?;
                continue;
            }
            if !metadata.is_file() {
                continue;
            }
            if metadata.len() > LARGEST {
                return Err(odd(&path, "the file is too large"));
            }
            if self.files.len() >= MOST_FILES {
                return Err(odd(&self.root.clone(), "it has too many files"));
            }
            let content = content(&path, metadata.len()).map_err(|source| read(&path, source))?;
            *bytes += content.len() as u64;
            if *bytes > MOST_BYTES {
                return Err(odd(&self.root.clone(), "it is too large"));
            }
            let file = PageFile {
                size: content.len() as u64,
                digest: Digest::of(&content),
                content_type: content_type(name),
                path,
            };
            self.files.insert(relative, file);
        }
        Ok(())
    }

    pub(super) fn get(&self, path: &str) -> Option<&PageFile> {
        self.files.get(path)
    }
}

impl PageFile {
    /// The file's bytes, if they are still the ones of the list.
    pub(super) fn read(&self) -> Option<Vec<u8>> {
        let metadata = fs::symlink_metadata(&self.path).ok()?;
        if !metadata.is_file() || metadata.len() != self.size {
            return None;
        }
        let content = content(&self.path, self.size).ok()?;
        (Digest::of(&content) == self.digest).then_some(content)
    }
}

/// At most `size` bytes and one, so that a file that grows does not fill the memory.
fn content(path: &Path, size: u64) -> std::io::Result<Vec<u8>> {
    let mut content = Vec::with_capacity(usize::try_from(size).unwrap_or(0));
    fs::File::open(path)?.take(size.saturating_add(1)).read_to_end(&mut content)?;
    Ok(content)
}

/// By the name alone; what is not known is offered for download.
fn content_type(name: &str) -> &'static str {
    match name.rsplit_once('.').map_or("", |(_, extension)| extension) {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" | "map" => "application/json",
        "txt" => "text/plain; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "gif" => "image/gif",
        "webp" => "image/webp",
        "ico" => "image/x-icon",
        "woff" => "font/woff",
        "woff2" => "font/woff2",
        "ttf" => "font/ttf",
        "otf" => "font/otf",
        "eot" => "application/vnd.ms-fontobject",
        "wasm" => "application/wasm",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("static/js")).unwrap();
        fs::write(folder.path().join("index.html"), "<!doctype html>").unwrap();
        fs::write(folder.path().join("static/js/main.js"), "run()").unwrap();
        folder
    }

    #[test]
    fn only_listed_paths_are_files() {
        let folder = folder();
        let pages = Pages::read(folder.path()).unwrap();
        assert_eq!(pages.get("static/js/main.js").unwrap().read().unwrap(), b"run()");
        for path in
            ["", ".", "..", "/index.html", "./index.html", "static", "static/", "static/../index.html", "index.html\0"]
        {
            assert!(pages.get(path).is_none(), "{path}");
        }
    }

    #[test]
    fn a_link_is_not_served_now_or_later() {
        let folder = folder();
        let secret = folder.path().join("secret");
        fs::write(&secret, "run()").unwrap();
        let other = tempfile::tempdir().unwrap();
        fs::write(other.path().join("x"), "secret").unwrap();
        std::os::unix::fs::symlink(other.path().join("x"), folder.path().join("x")).unwrap();
        std::os::unix::fs::symlink(other.path(), folder.path().join("folder")).unwrap();
        let pages = Pages::read(folder.path()).unwrap();
        assert!(pages.get("x").is_none() && pages.get("folder/x").is_none());
        let main = folder.path().join("static/js/main.js");
        fs::remove_file(&main).unwrap();
        std::os::unix::fs::symlink(&secret, &main).unwrap();
        assert!(pages.get("static/js/main.js").unwrap().read().is_none());
    }

    #[test]
    fn an_exchanged_file_is_not_served() {
        let folder = folder();
        let pages = Pages::read(folder.path()).unwrap();
        let main = pages.get("static/js/main.js").unwrap();
        fs::write(folder.path().join("static/js/main.js"), "evil!").unwrap();
        assert!(main.read().is_none(), "as long, but other bytes");
        fs::write(folder.path().join("static/js/main.js"), "longer than it was").unwrap();
        assert!(main.read().is_none());
    }

    #[test]
    fn a_folder_without_index_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        assert!(matches!(Pages::read(folder.path()), Err(PagesError::NoIndex(_))));
        assert!(matches!(Pages::read(&folder.path().join("none")), Err(PagesError::Read { .. })));
    }
}
