use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader, Read, Write};
use std::path::Path;

use sealyard_core::{Digest, durable};
use sealyard_vault::ObjectId;
use serde::{Deserialize, Serialize};

use crate::BackupError;

/// No line of a list is longer.
const LONGEST_LINE: u64 = 1024;

/// An object, and its copy in the backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredCopy {
    /// Which object.
    pub object: ObjectId,
    /// SHA-256 of its content.
    pub digest: Digest,
    /// Bytes of its content.
    pub size: u64,
    /// SHA-256 of its stored form, by which the backup has it; `None` when it was not there.
    pub stored: Option<Digest>,
    /// Bytes of its stored form.
    pub stored_size: u64,
}

pub(crate) fn write_line(out: &mut dyn Write, copy: &StoredCopy) -> Result<(), BackupError> {
    let mut line = serde_json::to_vec(copy).map_err(|error| BackupError::refused("backup.part", error.to_string()))?;
    line.push(b'\n');
    out.write_all(&line).map_err(BackupError::io("write", "objects"))
}

/// Shows each of a list.
pub(crate) fn each(
    from: impl Read,
    visit: &mut dyn FnMut(StoredCopy) -> Result<(), BackupError>,
) -> Result<(), BackupError> {
    let refused = |detail: String| BackupError::refused("backup.part", format!("the list of objects: {detail}"));
    let mut lines = BufReader::new(from);
    loop {
        let mut line = Vec::new();
        let read = (&mut lines).take(LONGEST_LINE).read_until(b'\n', &mut line);
        match read.map_err(|error| refused(error.to_string()))? {
            0 => return Ok(()),
            _ if line.last() != Some(&b'\n') => return Err(refused("a line is cut or too long".to_owned())),
            _ => visit(serde_json::from_slice(&line).map_err(|_| refused("a line is none".to_owned()))?)?,
        }
    }
}

/// What the machine remembers of the copies that it made: which stored form has which digest. It only saves reading what was
/// copied already; without it, or with a wrong one, whatever is restored is compared with the catalog all the same.
#[derive(Debug, Default)]
pub(crate) struct Known(BTreeMap<ObjectId, (Digest, Digest, u64)>);

impl Known {
    pub(crate) fn read(path: &Path) -> Self {
        let Ok(text) = fs::read_to_string(path) else { return Self::default() };
        let line = |line: &str| {
            let mut words = line.split(' ');
            let object = words.next()?.parse().ok()?;
            let head = Digest::from_hex(words.next()?).ok()?;
            let stored = Digest::from_hex(words.next()?).ok()?;
            Some((object, (head, stored, words.next()?.parse().ok()?)))
        };
        Self(text.lines().filter_map(line).collect())
    }

    /// The copy of an object whose stored form begins with what has the digest `head`.
    pub(crate) fn copy(&self, object: ObjectId, head: Digest, size: u64) -> Option<Digest> {
        let (known, stored, known_size) = self.0.get(&object)?;
        (*known == head && *known_size == size).then_some(*stored)
    }

    /// The copy of an object that is not there any more, and how long it is.
    pub(crate) fn last(&self, object: ObjectId) -> Option<(Digest, u64)> {
        self.0.get(&object).map(|(_, stored, size)| (*stored, *size))
    }

    pub(crate) fn insert(&mut self, object: ObjectId, head: Digest, stored: Digest, size: u64) {
        self.0.insert(object, (head, stored, size));
    }

    pub(crate) fn write(&self, path: &Path) -> std::io::Result<()> {
        let mut text = String::new();
        for (object, (head, stored, size)) in &self.0 {
            text.push_str(&format!("{object} {} {} {size}\n", head.to_hex(), stored.to_hex()));
        }
        durable::write(path, text.as_bytes(), 0o600)
    }
}
