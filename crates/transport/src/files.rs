use std::io::Read as _;
use std::path::{Path, PathBuf};

use sealyard_core::Digest;

use crate::TransportError;

/// No chain, list of authorities or revocation list is larger.
const LARGEST: u64 = 32 << 20;

/// Reads a file that is no secret.
pub(crate) fn read_public(path: &Path, what: &'static str) -> Result<String, TransportError> {
    let failed = |source| TransportError::File { what, path: path.to_owned(), source };
    let mut text = String::new();
    std::fs::File::open(path).map_err(failed)?.take(LARGEST + 1).read_to_string(&mut text).map_err(failed)?;
    if text.len() as u64 > LARGEST {
        return Err(failed(std::io::ErrorKind::FileTooLarge.into()));
    }
    Ok(text)
}

/// Tells whether files have changed since they were last asked about, by what they hold: a clock that stands still or a copy that
/// keeps the old time hides nothing.
#[derive(Debug)]
pub(crate) struct Watched {
    files: Vec<PathBuf>,
    seen: Vec<Option<Digest>>,
}

impl Watched {
    /// These, of which nothing is known yet: the first look finds them changed.
    pub(crate) const fn unseen(files: Vec<PathBuf>) -> Self {
        Self { files, seen: Vec::new() }
    }

    /// Whether one of them is not what it was. One that can't be read is nothing.
    pub(crate) fn changed(&mut self) -> bool {
        let now: Vec<_> = self.files.iter().map(|path| digest(path)).collect();
        let changed = now != self.seen;
        self.seen = now;
        changed
    }
}

fn digest(path: &Path) -> Option<Digest> {
    let mut bytes = Vec::new();
    std::fs::File::open(path).ok()?.take(LARGEST + 1).read_to_end(&mut bytes).ok()?;
    Some(Digest::of(&bytes))
}

impl Watched {
    /// Watches these from now on. One that is new to it counts as changed.
    pub(crate) fn follow(&mut self, files: Vec<PathBuf>) {
        if files != self.files {
            *self = Self { files, seen: Vec::new() };
        }
    }
}
