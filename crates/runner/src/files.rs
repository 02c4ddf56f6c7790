//! Small, bounded reading of a project's own files.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use crate::RunError;

const MAX_TEXT: u64 = 1 << 20;

pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> RunError {
    let path = path.to_path_buf();
    move |source| RunError::Io { action, path, source }
}

pub(crate) fn project(path: &Path, detail: impl Into<String>) -> RunError {
    RunError::Project { file: path.to_path_buf(), detail: detail.into() }
}

/// A small text file.
pub(crate) fn read_text(path: &Path) -> Result<String, RunError> {
    let mut text = String::new();
    let file = File::open(path).map_err(io("open", path))?;
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
