use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sealyard_core::{ReadAt, TreePath};
use sealyard_scan::{Report, SubjectReport};

use crate::{Scanner, inspect, parallel};

/// Deepest nesting of directories.
const MAX_DEPTH: usize = 64;
/// Most files of one scan; also bounds the open descriptors' bookkeeping.
const MAX_FILES: usize = 1_000_000;

/// Files up to this size are read at once.
const SMALL: u64 = 1 << 20;

/// A file as it was listed.
struct Listed {
    path: PathBuf,
    size: u64,
    /// Device and number, which another file that was put in its place does not have.
    identity: (u64, u64),
}

impl Listed {
    fn new(path: PathBuf, metadata: &fs::Metadata) -> Self {
        Self { path, size: metadata.len(), identity: (metadata.dev(), metadata.ino()) }
    }

    /// Opens it: neither through a link nor anything else that was put there after the directory was listed. A pipe does
    /// not make it wait.
    fn open(&self) -> io::Result<Opened> {
        let file =
            fs::OpenOptions::new().read(true).custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK).open(&self.path)?;
        let metadata = file.metadata()?;
        if !metadata.is_file() || (metadata.dev(), metadata.ino()) != self.identity {
            return Err(io::Error::other("it is no longer the file that was listed"));
        }
        Ok(Opened { file, size: metadata.len() })
    }
}

/// What looks at the whole folder reads few files, and little of them: each read opens the file, so that a folder of any
/// size needs one descriptor at a time.
impl ReadAt for Listed {
    fn size(&self) -> u64 {
        self.size
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        self.open()?.read_at(offset, buffer)
    }
}

/// An open file of which the size is asked for once.
struct Opened {
    file: fs::File,
    size: u64,
}

impl ReadAt for Opened {
    fn size(&self) -> u64 {
        self.size
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        ReadAt::read_at(&self.file, offset, buffer)
    }
}

/// Looks at one file, which is opened once.
fn look(scanner: &Scanner, name: &str, file: &Listed) -> SubjectReport {
    let opened = file.open().and_then(|opened| {
        let bytes = if opened.size <= SMALL { Some(opened.read_all(SMALL)?) } else { None };
        Ok((opened, bytes))
    });
    match opened {
        Ok((_, Some(bytes))) => scanner.scan_file(name, &bytes),
        Ok((opened, None)) => scanner.scan_file(name, &opened),
        Err(error) => unread(name, &error),
    }
}

fn unread(name: &str, error: &io::Error) -> SubjectReport {
    SubjectReport::unread(name, "unknown", format!("could not be read: {error}"))
}

pub(crate) fn scan(scanner: &Scanner, path: &Path) -> Report {
    let name = path.to_string_lossy();
    let metadata = match fs::symlink_metadata(path) {
        Ok(metadata) => metadata,
        Err(error) => return single(unread(&name, &error)),
    };
    if metadata.is_dir() {
        return directory(scanner, path);
    }
    if !metadata.is_file() {
        return single(SubjectReport::unread(&name, "special", not_regular(&metadata)));
    }
    single(look(scanner, &name, &Listed::new(path.to_path_buf(), &metadata)))
}

fn single(subject: SubjectReport) -> Report {
    Report::new(Scanner::tool(), vec![subject])
}

fn not_regular(metadata: &fs::Metadata) -> &'static str {
    if metadata.is_symlink() {
        "it is a symbolic link, which is not followed; scan its target"
    } else {
        "it is not a regular file"
    }
}

/// The file at `path`, or the one that a link there leads to if that lies below the directory too: it is there under both
/// names, as in the cache of Hugging Face's hub.
fn listed(path: PathBuf, metadata: &fs::Metadata, within: Option<&Path>) -> Option<Listed> {
    if metadata.is_file() {
        return Some(Listed::new(path, metadata));
    }
    let target = fs::canonicalize(&path).ok().filter(|_| metadata.is_symlink())?;
    let metadata = fs::symlink_metadata(&target).ok()?;
    let is_inside = within.is_some_and(|within| target.starts_with(within));
    (is_inside && metadata.is_file()).then(|| Listed::new(target, &metadata))
}

fn directory(scanner: &Scanner, root: &Path) -> Report {
    let mut files: Vec<(TreePath, Arc<Listed>)> = Vec::new();
    let mut subjects = Vec::new();
    let within = fs::canonicalize(root).ok();
    let mut pending = vec![(root.to_path_buf(), String::new(), 0)];
    while let Some((directory, prefix, depth)) = pending.pop() {
        let shown = directory.to_string_lossy().into_owned();
        if depth > MAX_DEPTH {
            subjects.push(SubjectReport::unread(&shown, "directory", "it is nested too deeply"));
            continue;
        }
        let entries = match fs::read_dir(&directory).and_then(Iterator::collect::<io::Result<Vec<_>>>) {
            Ok(entries) => entries,
            Err(error) => {
                subjects.push(SubjectReport::unread(&shown, "directory", format!("could not be listed: {error}")));
                continue;
            }
        };
        for entry in entries {
            let path = entry.path();
            let shown = path.to_string_lossy().into_owned();
            if files.len() + subjects.len() >= MAX_FILES {
                subjects.push(SubjectReport::unread(&shown, "directory", "there are more than a million files"));
                return Report::new(Scanner::tool(), subjects);
            }
            let metadata = match fs::symlink_metadata(&path) {
                Ok(metadata) => metadata,
                Err(error) => {
                    subjects.push(unread(&shown, &error));
                    continue;
                }
            };
            let name = entry.file_name();
            let name = name.to_string_lossy();
            let relative = if prefix.is_empty() { name.into_owned() } else { format!("{prefix}/{name}") };
            if scanner.exclude.is_out(&relative) {
                continue;
            }
            if metadata.is_dir() {
                pending.push((path, relative, depth + 1));
            } else if let Some(file) = listed(path, &metadata, within.as_deref()) {
                match TreePath::new(&relative) {
                    Ok(relative) => files.push((relative, Arc::new(file))),
                    // A name that no manifest can hold is still looked at.
                    Err(_) => subjects.push(look(scanner, &shown, &file)),
                }
            } else {
                subjects.push(SubjectReport::unread(&shown, "special", not_regular(&metadata)));
            }
        }
    }
    files.sort_by(|(one, _), (other, _)| one.cmp(other));
    let looked =
        parallel::each(files.len(), |index| files.get(index).map(|(path, file)| look(scanner, path.as_str(), file)));
    let mut found: Vec<_> = files
        .iter()
        .zip(looked)
        .map(|((path, _), report)| report.flatten().unwrap_or_else(|| parallel::failed(path.as_str())))
        .collect();
    let files: Vec<(TreePath, Arc<dyn ReadAt>)> =
        files.into_iter().map(|(path, file)| (path, file as Arc<dyn ReadAt>)).collect();
    inspect::folder(&files, &mut found);
    let root = root.to_string_lossy();
    for subject in &mut found {
        name_below(subject, &root);
    }
    subjects.extend(found);
    subjects.sort_by(|one, other| one.path.cmp(&other.path));
    Report::new(Scanner::tool(), subjects)
}

/// Puts the directory that was named on the command line before every path of the report.
fn name_below(subject: &mut SubjectReport, root: &str) {
    let root = root.trim_end_matches('/');
    let prefix = |path: &mut String| *path = format!("{root}/{path}");
    prefix(&mut subject.path);
    for finding in &mut subject.findings {
        prefix(&mut finding.location.path);
    }
    for missed in &mut subject.not_assessed {
        prefix(&mut missed.path);
    }
}

#[cfg(test)]
mod tests {
    use sealyard_core::Verdict;

    use super::*;

    #[test]
    fn links_are_not_followed_but_named() {
        let directory = tempfile::tempdir().unwrap();
        fs::create_dir(directory.path().join("sub")).unwrap();
        fs::write(directory.path().join("sub/a.txt"), "hello\n").unwrap();
        std::os::unix::fs::symlink("/etc/passwd", directory.path().join("link")).unwrap();
        let report = Scanner::new().scan_path(directory.path());
        let verdicts: Vec<_> = report.subjects.iter().map(|subject| (subject.kind.as_str(), subject.verdict)).collect();
        assert_eq!(verdicts, [("special", Verdict::NotAssessed), ("text", Verdict::Safe)]);
        assert!(report.subjects[1].path.ends_with("/sub/a.txt"));
        let link = Scanner::new().scan_path(&directory.path().join("link"));
        assert_eq!(link.verdict(), Verdict::NotAssessed);
    }

    #[test]
    fn a_link_that_stays_inside_is_another_name() {
        let directory = tempfile::tempdir().unwrap();
        fs::create_dir(directory.path().join("blobs")).unwrap();
        fs::write(directory.path().join("blobs/0123"), b"cos\nsystem\n(S'id'\ntR.").unwrap();
        std::os::unix::fs::symlink("blobs/0123", directory.path().join("model.bin")).unwrap();
        std::os::unix::fs::symlink("blobs", directory.path().join("folder")).unwrap();
        let report = Scanner::new().scan_path(directory.path());
        let found: Vec<_> = report.subjects.iter().map(|subject| (subject.kind.as_str(), subject.verdict)).collect();
        assert_eq!(
            found,
            [("pickle", Verdict::Unsafe), ("special", Verdict::NotAssessed), ("pickle", Verdict::Unsafe)]
        );
    }

    #[test]
    fn what_was_put_in_a_files_place_is_not_read() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("model.pkl");
        let other = directory.path().join("other");
        fs::write(&path, "a").unwrap();
        fs::write(&other, "b").unwrap();
        let listed = Listed::new(path.clone(), &fs::symlink_metadata(&path).unwrap());
        assert_eq!(listed.read_all(10).unwrap(), b"a");
        fs::rename(&other, &path).unwrap();
        assert!(listed.read_all(10).is_err());
        fs::remove_file(&path).unwrap();
        std::os::unix::fs::symlink("/etc/passwd", &path).unwrap();
        assert_eq!(look(&Scanner::new(), "model.pkl", &listed).verdict, Verdict::NotAssessed);
    }

    #[test]
    fn a_report_is_the_same_each_time() {
        let directory = tempfile::tempdir().unwrap();
        for name in 0..200 {
            let pickle: &[u8] = if name % 3 == 0 { b"cos\nsystem\n(S'id'\ntR." } else { b"\x80\x04N." };
            fs::write(directory.path().join(format!("{name}.pkl")), pickle).unwrap();
        }
        let first = Scanner::new().scan_path(directory.path());
        assert_eq!((first.summary.r#unsafe, first.summary.safe), (67, 133));
        assert!(first.subjects.is_sorted_by_key(|subject| subject.path.clone()));
        for _ in 0..5 {
            assert_eq!(Scanner::new().scan_path(directory.path()), first);
        }
    }

    #[test]
    fn nothing_to_read_is_not_assessed() {
        let directory = tempfile::tempdir().unwrap();
        for path in [directory.path().to_path_buf(), directory.path().join("absent")] {
            assert_eq!(Scanner::new().scan_path(&path).verdict(), Verdict::NotAssessed);
        }
    }
}
