//! Small, bounded reading of a project's own files.

use std::fs::{File, Metadata, OpenOptions};
use std::io::Read as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use rustix::fs::{Mode, OFlags, ResolveFlags};

use crate::RunError;

const MAX_TEXT: u64 = 1 << 20;

pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> RunError {
    let path = path.to_path_buf();
    move |source| RunError::Io { action, path, source }
}

pub(crate) fn project(path: &Path, detail: impl Into<String>) -> RunError {
    // It may quote the project's files, and ends on a terminal.
    RunError::Project { file: path.to_path_buf(), detail: sealyard_sandbox::plain(&detail.into()) }
}

/// Opens a regular file, without following a link at its end and without waiting for the other end of a pipe.
pub(crate) fn open_plain(path: &Path) -> Result<(File, Metadata), RunError> {
    const NO_FOLLOW_NON_BLOCKING: i32 = 0o400_000 | 0o4000;
    let file =
        OpenOptions::new().read(true).custom_flags(NO_FOLLOW_NON_BLOCKING).open(path).map_err(io("open", path))?;
    let metadata = file.metadata().map_err(io("read", path))?;
    if !metadata.is_file() {
        return Err(project(path, "it is not a regular file"));
    }
    Ok((file, metadata))
}

/// The folder that all else is opened below.
pub(crate) fn open_root(path: &Path) -> Result<File, RunError> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    rustix::fs::open(path, flags, Mode::empty()).map(File::from).map_err(|error| io("open", path)(error.into()))
}

/// Opens a regular file or a folder below `root`, following no link on the whole way: whoever may write in the project could
/// put one there at any moment, and have files of the caller's shown to the training code.
pub(crate) fn open_beneath(root: &File, place: &Path, shown: &Path) -> Result<(File, Metadata), RunError> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS;
    let file = rustix::fs::openat2(root, place, flags, Mode::empty(), resolve)
        .map_err(|error| io("open", shown)(error.into()))?;
    let file = File::from(file);
    let metadata = file.metadata().map_err(io("read", shown))?;
    if !metadata.is_file() && !metadata.is_dir() {
        return Err(project(shown, "it is not a regular file"));
    }
    Ok((file, metadata))
}

/// A small text file.
pub(crate) fn read_text(path: &Path) -> Result<String, RunError> {
    let mut text = String::new();
    let (file, _) = open_plain(path)?;
    let read = file.take(MAX_TEXT + 1).read_to_string(&mut text).map_err(|_| project(path, "it is not UTF-8 text"))?;
    if read as u64 > MAX_TEXT {
        return Err(project(path, format!("it is larger than {MAX_TEXT} bytes")));
    }
    Ok(text)
}

/// A YAML file, with bounds on all that makes YAML dangerous.
pub(crate) fn read_yaml<T: serde::de::DeserializeOwned>(path: &Path) -> Result<T, RunError> {
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_documents: 1,
            max_events: 20_000,
            max_depth: 32,
            max_aliases: 0,
            max_anchors: 0,
        },
    };
    serde_saphyr::from_str_with_options(&read_text(path)?, options).map_err(|error| {
        let text = error.to_string();
        project(path, text.lines().next().unwrap_or("it is not YAML").to_owned())
    })
}
