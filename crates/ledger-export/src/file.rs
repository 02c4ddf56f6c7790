use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use sealyard_core::{Timestamp, durable};
use serde_json::Value;

use crate::{Entry, SinkError, line};

/// So much of the end of a file is looked at for its last line; an entry has 64 KiB at most.
const TAIL: u64 = 1 << 20;

/// When a file is full, and which full ones stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rotation {
    /// Bytes after which the next file begins.
    pub bytes: u64,
    /// Seconds after which the next file begins.
    pub seconds: i64,
    /// How many full files stay.
    pub keep_files: usize,
    /// Seconds after which a full file goes; `None` is never.
    pub keep_seconds: Option<i64>,
}

/// JSON lines in a file, synced after each batch. A full one is renamed after the first entry that the next one has.
#[derive(Debug)]
pub struct FileSink {
    path: PathBuf,
    rotation: Rotation,
    /// The open file, its size and when its first line was written.
    open: Option<(File, u64, i64)>,
}

impl FileSink {
    /// Writes to `path`, which nobody else may write to.
    #[must_use]
    pub fn new(path: PathBuf, rotation: Rotation) -> Self {
        Self { path, rotation, open: None }
    }

    /// The index after the last line that is wholly there, in the file or in the newest full one.
    pub(crate) fn next(&self) -> io::Result<Option<u64>> {
        if let Some(index) = last_index(&self.path)? {
            return Ok(Some(index + 1));
        }
        match self.full()?.pop() {
            Some((next, _)) => Ok(Some(next)),
            None => Ok(None),
        }
    }

    pub(crate) fn send(&mut self, entries: &[Entry], now: Timestamp) -> Result<(), SinkError> {
        let sent = self.write(entries, now);
        if sent.is_err() {
            // What is half written is cut off when it is opened again.
            self.open = None;
        }
        Ok(sent?)
    }

    fn write(&mut self, entries: &[Entry], now: Timestamp) -> io::Result<()> {
        let seconds = now.as_millis() / 1000;
        if self.open.is_none() {
            self.open = Some(open(&self.path, seconds)?);
        }
        for entry in entries {
            if let Some((_, size, since)) = &self.open
                && *size > 0
                && (*size >= self.rotation.bytes || seconds - *since >= self.rotation.seconds)
            {
                self.rotate(entry.index, seconds)?;
            }
            if let Some((file, size, _)) = &mut self.open {
                let mut text = line(entry).to_string();
                text.push('\n');
                file.write_all(text.as_bytes())?;
                *size += text.len() as u64;
            }
        }
        if let Some((file, ..)) = &self.open {
            file.sync_data()?;
        }
        Ok(())
    }

    fn rotate(&mut self, next: u64, seconds: i64) -> io::Result<()> {
        if let Some((file, ..)) = self.open.take() {
            file.sync_all()?;
        }
        let full = PathBuf::from(format!("{}.{next:020}", self.path.display()));
        fs::rename(&self.path, &full)?;
        durable::sync_parent(&full)?;
        let mut there = self.full()?;
        let too_many = there.len().saturating_sub(self.rotation.keep_files);
        for (_, path) in there.drain(..too_many) {
            fs::remove_file(path)?;
        }
        if let Some(age) = self.rotation.keep_seconds {
            for (_, path) in there {
                if modified(&path)? < seconds - age {
                    fs::remove_file(path)?;
                }
            }
        }
        self.open = Some(open(&self.path, seconds)?);
        Ok(())
    }

    /// Full files, oldest first, by the index that follows them.
    fn full(&self) -> io::Result<Vec<(u64, PathBuf)>> {
        let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let name = self.path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let mut full = Vec::new();
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            let number = path.file_name().and_then(|other| other.to_str()?.strip_prefix(name)?.strip_prefix('.'));
            if let Some(next) = number.filter(|number| number.len() == 20).and_then(|number| number.parse().ok()) {
                full.push((next, path));
            }
        }
        full.sort();
        Ok(full)
    }
}

fn modified(path: &Path) -> io::Result<i64> {
    use std::os::unix::fs::MetadataExt as _;
    Ok(fs::metadata(path)?.mtime())
}

/// Opens the file for appending, without a line at its end that was only half written.
fn open(path: &Path, seconds: i64) -> io::Result<(File, u64, i64)> {
    let mut file = OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(path)?;
    let whole = match tail(&mut file)? {
        (_, bytes) if bytes.is_empty() => 0,
        (from, bytes) => bytes.iter().rposition(|byte| *byte == b'\n').map_or(from, |at| from + at as u64 + 1),
    };
    file.set_len(whole)?;
    durable::sync_parent(path)?;
    let since = if whole == 0 { seconds } else { first_time(path).unwrap_or(seconds) };
    Ok((file, whole, since))
}

/// When the file began: the time of its first event, as nothing else of a file stays what it was.
fn first_time(path: &Path) -> Option<i64> {
    let mut beginning = Vec::new();
    File::open(path).ok()?.take(TAIL).read_to_end(&mut beginning).ok()?;
    let first = beginning.split(|byte| *byte == b'\n').next()?;
    let value: Value = serde_json::from_slice(first).ok()?;
    Some(value.get("event")?.get("time")?.as_i64()? / 1000)
}

/// The end of the file, and where it begins.
fn tail(file: &mut File) -> io::Result<(u64, Vec<u8>)> {
    let from = file.metadata()?.len().saturating_sub(TAIL);
    file.seek(SeekFrom::Start(from))?;
    let mut bytes = Vec::new();
    file.take(TAIL).read_to_end(&mut bytes)?;
    Ok((from, bytes))
}

fn last_index(path: &Path) -> io::Result<Option<u64>> {
    let mut file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        other => other?,
    };
    let (_, bytes) = tail(&mut file)?;
    let Some(end) = bytes.iter().rposition(|byte| *byte == b'\n') else { return Ok(None) };
    let whole = bytes.get(..end).unwrap_or_default();
    let last = whole.rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
    let index = serde_json::from_slice::<Value>(last).ok().and_then(|line| line.get("index")?.as_u64());
    let wrong = || io::Error::new(io::ErrorKind::InvalidData, "the last line of the export is none of the ledger's");
    index.map(Some).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(from: u64, to: u64) -> Vec<Entry> {
        let bytes = |index: u64| format!(r#"{{"time":{},"act":"run-created"}}"#, index * 1000).into_bytes();
        (from..to).map(|index| Entry { index, bytes: bytes(index) }).collect()
    }

    fn sink(path: &Path, bytes: u64, keep_files: usize) -> FileSink {
        let rotation = Rotation { bytes, seconds: 3600, keep_files, keep_seconds: None };
        FileSink::new(path.to_owned(), rotation)
    }

    fn indexes(path: &Path) -> Vec<u64> {
        let text = fs::read_to_string(path).unwrap();
        text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["index"].as_u64().unwrap()).collect()
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1000)
    }

    #[test]
    fn a_start_goes_on_where_the_last_whole_line_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger.jsonl");
        assert_eq!(sink(&path, 1 << 20, 9).next().unwrap(), None);
        sink(&path, 1 << 20, 9).send(&entries(0, 5), at(5)).unwrap();
        assert_eq!(sink(&path, 1 << 20, 9).next().unwrap(), Some(5));
        // Killed in the middle of a line.
        let half = fs::read(&path).unwrap();
        fs::write(&path, &half[..half.len() - 9]).unwrap();
        let mut again = sink(&path, 1 << 20, 9);
        assert_eq!(again.next().unwrap(), Some(4));
        again.send(&entries(4, 7), at(7)).unwrap();
        assert_eq!(indexes(&path), [0, 1, 2, 3, 4, 5, 6]);
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        fs::write(&path, "somebody else's file\n").unwrap();
        assert!(sink(&path, 1 << 20, 9).next().is_err(), "it is not gone on with");
    }

    #[test]
    fn full_files_rotate_and_old_ones_go() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger.jsonl");
        let mut sink = sink(&path, 300, 2);
        for first in (0..40).step_by(4) {
            sink.send(&entries(first, first + 4), at(1)).unwrap();
        }
        let full = sink.full().unwrap();
        assert_eq!(full.len(), 2);
        let mut kept: Vec<u64> = full.iter().flat_map(|(_, path)| indexes(path)).collect();
        kept.extend(indexes(&path));
        assert_eq!(kept, (kept[0]..40).collect::<Vec<_>>(), "nothing is missing between them");
        assert!(full.iter().all(|(next, path)| indexes(path).last().unwrap() + 1 == *next));
        // Only the full ones are there, as after a kill between the two.
        fs::remove_file(&path).unwrap();
        assert_eq!(sink.next().unwrap(), Some(full[1].0));
    }

    #[test]
    fn an_old_file_rotates_too() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger.jsonl");
        sink(&path, 1 << 20, 9).send(&entries(0, 2), at(1)).unwrap();
        let mut later = sink(&path, 1 << 20, 9);
        later.send(&entries(2, 3), at(3599)).unwrap();
        assert!(later.full().unwrap().is_empty());
        later.send(&entries(3, 4), at(3600)).unwrap();
        assert_eq!((later.full().unwrap().len(), indexes(&path)), (1, vec![3]));
    }
}
