use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;
use sealyard_core::{Digest, Timestamp, durable};
use sealyard_ledger::LINE_BEGINS;
use serde_json::Value;

use crate::{Entry, Last, SinkError};

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

/// JSON lines in a file, synced after each batch. A full one is renamed before the first entry that the next one has.
#[derive(Debug)]
pub struct FileSink {
    path: PathBuf,
    rotation: Rotation,
    open: Option<Open>,
}

#[derive(Debug)]
struct Open {
    file: File,
    size: u64,
    /// So much of it is on the disk.
    synced: u64,
    /// When its first line was written.
    since: i64,
}

impl FileSink {
    /// Writes to `path`, a file of its own in a folder that nobody else may write to.
    #[must_use]
    pub const fn new(path: PathBuf, rotation: Rotation) -> Self {
        Self { path, rotation, open: None }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The last line that is wholly there, in the file or in the newest full one.
    pub(crate) fn last(&self) -> io::Result<Option<Last>> {
        if let Some(last) = last_line(&self.path)? {
            return Ok(Some(last));
        }
        match self.full()?.pop() {
            Some((_, path)) => last_line(&path),
            None => Ok(None),
        }
    }

    pub(crate) fn send(&mut self, entries: &[Entry], now: Timestamp) -> Result<(), SinkError> {
        let sent = self.write(entries, now);
        if sent.is_err()
            && let Some(Open { file, synced, .. }) = self.open.take()
        {
            // What did not come to the disk is written again, and not taken for written because it can be read. Where this
            // fails too, what is half written is cut off when the file is opened.
            let _ = file.set_len(synced);
        }
        Ok(sent?)
    }

    fn write(&mut self, entries: &[Entry], now: Timestamp) -> io::Result<()> {
        let seconds = now.as_millis() / 1000;
        if self.open.is_none() {
            self.open = Some(open(&self.path, seconds)?);
        }
        for entry in entries {
            if let Some(Open { size, since, .. }) = &self.open
                && *size > 0
                && (*size >= self.rotation.bytes || seconds - *since >= self.rotation.seconds)
            {
                self.rotate(entry.index, seconds)?;
            }
            if let Some(Open { file, size, .. }) = &mut self.open {
                let mut text = entry.line();
                text.push('\n');
                file.write_all(text.as_bytes())?;
                *size += text.len() as u64;
            }
        }
        if let Some(Open { file, size, synced, .. }) = &mut self.open {
            file.sync_data()?;
            *synced = *size;
        }
        Ok(())
    }

    fn rotate(&mut self, next: u64, seconds: i64) -> io::Result<()> {
        if let Some(Open { file, size, synced, .. }) = &mut self.open {
            file.sync_all()?;
            *synced = *size;
        }
        let full = PathBuf::from(format!("{}.{next:020}", self.path.display()));
        fs::rename(&self.path, &full)?;
        self.open = None;
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
    Ok(fs::symlink_metadata(path)?.mtime())
}

/// Opens the file for appending, without a line at its end that was only half written.
fn open(path: &Path, seconds: i64) -> io::Result<Open> {
    let mut file = own(path, OpenOptions::new().read(true).append(true).create(true).mode(0o600))?;
    let whole = match tail(&mut file)? {
        (_, bytes) if bytes.is_empty() => 0,
        (from, bytes) => match bytes.iter().rposition(|byte| *byte == b'\n') {
            Some(at) => from + at as u64 + 1,
            // Half of a first line, and nothing else.
            None if from == 0 && begins_a_line(&bytes) => 0,
            None => return Err(foreign()),
        },
    };
    file.set_len(whole)?;
    durable::sync_parent(path)?;
    let since = if whole == 0 { seconds } else { first_time(path).unwrap_or(seconds) };
    Ok(Open { file, size: whole, synced: whole, since })
}

/// Opens a file that is nobody else's: no link to another, no pipe, and none that others may write to.
fn own(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let file = options.custom_flags(flags.bits().cast_signed()).open(path)?;
    let found = file.metadata()?;
    let mine = found.uid() == rustix::process::geteuid().as_raw() && found.nlink() <= 1 && found.mode() & 0o022 == 0;
    if found.is_file() && mine {
        return Ok(file);
    }
    let reason =
        "the export is to be a file that is the server's own, with one name, and that nobody else may write to";
    Err(io::Error::new(io::ErrorKind::PermissionDenied, reason))
}

fn begins_a_line(bytes: &[u8]) -> bool {
    let begins = LINE_BEGINS.as_bytes();
    bytes.starts_with(begins) || begins.starts_with(bytes)
}

fn foreign() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "the last line of the export is none of the ledger's")
}

/// When the file began: the time of its first event, as nothing else of a file stays what it was.
fn first_time(path: &Path) -> Option<i64> {
    let mut beginning = Vec::new();
    own(path, OpenOptions::new().read(true)).ok()?.take(TAIL).read_to_end(&mut beginning).ok()?;
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

fn last_line(path: &Path) -> io::Result<Option<Last>> {
    let mut file = match own(path, OpenOptions::new().read(true)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        other => other?,
    };
    let (_, bytes) = tail(&mut file)?;
    let Some(end) = bytes.iter().rposition(|byte| *byte == b'\n') else { return Ok(None) };
    let whole = bytes.get(..end).unwrap_or_default();
    let last = whole.rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
    let line: Value = serde_json::from_slice(last).map_err(|_| foreign())?;
    let leaf = line.get("leaf").and_then(Value::as_str).and_then(|leaf| Digest::from_hex(leaf).ok());
    let index = line.get("index").and_then(Value::as_u64);
    index.zip(leaf).map(|(index, leaf)| Some(Last { index, leaf })).ok_or_else(foreign)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(from: u64, to: u64) -> Vec<Entry> {
        let bytes = |index: u64| format!(r#"{{"time":{},"act":"run-created"}}"#, index * 1000).into_bytes();
        (from..to).map(|index| Entry { index, bytes: bytes(index), personal: None }).collect()
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
        assert_eq!(sink(&path, 1 << 20, 9).last().unwrap(), None);
        sink(&path, 1 << 20, 9).send(&entries(0, 5), at(5)).unwrap();
        let last = sink(&path, 1 << 20, 9).last().unwrap();
        // What goes with an entry does not hide which one it is.
        let with = folder.path().join("with.jsonl");
        let apart = Some(serde_json::json!({"source": "192.0.2.7"}));
        sink(&with, 1 << 20, 9).send(&[Entry { personal: apart, ..entries(4, 5).remove(0) }], at(5)).unwrap();
        assert!(fs::read_to_string(&with).unwrap().ends_with("\"personal\":{\"source\":\"192.0.2.7\"}}\n"));
        assert_eq!(sink(&with, 1 << 20, 9).last().unwrap(), last);
        assert_eq!(last, Some(Last { index: 4, leaf: entries(4, 5)[0].leaf() }));
        // Killed in the middle of a line.
        let half = fs::read(&path).unwrap();
        fs::write(&path, &half[..half.len() - 9]).unwrap();
        let mut again = sink(&path, 1 << 20, 9);
        assert_eq!(again.last().unwrap().unwrap().index, 3);
        again.send(&entries(4, 7), at(7)).unwrap();
        assert_eq!(indexes(&path), [0, 1, 2, 3, 4, 5, 6]);
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        fs::write(&path, "somebody else's file\n").unwrap();
        assert!(sink(&path, 1 << 20, 9).last().is_err(), "it is not gone on with");
    }

    #[test]
    fn a_file_that_is_not_its_own_is_left_as_it_is() {
        use std::os::unix::fs::{PermissionsExt as _, symlink};
        let folder = tempfile::tempdir().unwrap();
        let (path, other) = (folder.path().join("ledger.jsonl"), folder.path().join("other"));
        let refused = |what: &str| {
            assert!(sink(&path, 1 << 20, 9).send(&entries(0, 2), at(1)).is_err(), "{what}");
            fs::remove_file(&path).unwrap();
        };
        fs::write(&other, "keep me").unwrap();
        symlink(&other, &path).unwrap();
        assert!(sink(&path, 1 << 20, 9).last().is_err());
        refused("a symbolic link");
        fs::hard_link(&other, &path).unwrap();
        refused("another name of a file");
        assert_eq!(fs::read_to_string(&other).unwrap(), "keep me");
        fs::write(&path, "a key without an end of a line").unwrap();
        assert!(sink(&path, 1 << 20, 9).send(&entries(0, 2), at(1)).is_err());
        assert_eq!(fs::read_to_string(&path).unwrap(), "a key without an end of a line");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).unwrap();
        fs::write(&path, "").unwrap();
        refused("others may write to it");
        rustix::fs::mknodat(rustix::fs::CWD, &path, rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
        refused("a pipe");
        fs::write(&path, &LINE_BEGINS[..4]).unwrap();
        sink(&path, 1 << 20, 9).send(&entries(0, 2), at(1)).unwrap();
        assert_eq!(indexes(&path), [0, 1], "a first line that was half written");
    }

    #[test]
    fn what_failed_half_way_is_written_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger.jsonl");
        let mut sink = sink(&path, 1 << 20, 9);
        sink.send(&entries(0, 3), at(1)).unwrap();
        // As when the disk is full after two more lines and a half.
        let open = sink.open.as_mut().unwrap();
        let mut half: String = entries(3, 5).iter().map(|entry| entry.line() + "\n").collect();
        half.push_str(&LINE_BEGINS[..5]);
        open.file.write_all(half.as_bytes()).unwrap();
        open.size += half.len() as u64;
        // Read only, so that the next write fails.
        open.file = File::open(&path).unwrap();
        assert!(sink.send(&entries(5, 6), at(2)).is_err());
        let last = sink.last().unwrap().unwrap().index;
        sink.send(&entries(last + 1, 6), at(3)).unwrap();
        assert_eq!(indexes(&path), [0, 1, 2, 3, 4, 5]);
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
        assert_eq!(sink.last().unwrap().unwrap().index + 1, full[1].0);
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
