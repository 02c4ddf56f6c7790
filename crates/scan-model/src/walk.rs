use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;

use sealyard_core::{ReadAt, TreePath};
use sealyard_scan::{Report, SubjectReport};

use crate::{Scanner, inspect};

/// Deepest nesting of directories.
const MAX_DEPTH: usize = 64;
/// Most files of one scan; also bounds the open descriptors' bookkeeping.
const MAX_FILES: usize = 1_000_000;

/// Opens a file for each read, so that a folder of any size needs one descriptor at a time.
struct Lazy {
    path: std::path::PathBuf,
    size: u64,
}

impl ReadAt for Lazy {
    fn size(&self) -> u64 {
        self.size
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        open(&self.path)?.read_at(offset, buffer)
    }
}

/// Opens a regular file; a link that was put there after the directory was listed is seen by its metadata.
fn open(path: &Path) -> io::Result<fs::File> {
    if !fs::symlink_metadata(path)?.is_file() {
        return Err(io::Error::other("it is no longer a regular file"));
    }
    fs::File::open(path)
}

pub(crate) fn scan(scanner: &Scanner, path: &Path) -> Report {
    let name = path.to_string_lossy();
    let metadata = match fs::symlink_metadata(path) {
        Ok(metadata) => metadata,
        Err(error) => return single(SubjectReport::unread(&name, "unknown", format!("could not be read: {error}"))),
    };
    if metadata.is_dir() {
        return directory(scanner, path);
    }
    if !metadata.is_file() {
        return single(SubjectReport::unread(&name, "special", not_regular(&metadata)));
    }
    match fs::File::open(path) {
        Ok(file) => single(scanner.scan_file(&name, &file)),
        Err(error) => single(SubjectReport::unread(&name, "unknown", format!("could not be read: {error}"))),
    }
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

fn directory(scanner: &Scanner, root: &Path) -> Report {
    let mut files: Vec<(TreePath, Arc<dyn ReadAt>)> = Vec::new();
    let mut subjects = Vec::new();
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
                    subjects.push(SubjectReport::unread(&shown, "unknown", format!("could not be read: {error}")));
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
            } else if !metadata.is_file() {
                subjects.push(SubjectReport::unread(&shown, "special", not_regular(&metadata)));
            } else {
                let data: Arc<dyn ReadAt> = Arc::new(Lazy { path, size: metadata.len() });
                match TreePath::new(&relative) {
                    Ok(relative) => files.push((relative, data)),
                    // A name that no manifest can hold is still looked at.
                    Err(_) => subjects.push(scanner.scan_file(&shown, &data)),
                }
            }
        }
    }
    files.sort_by(|(one, _), (other, _)| one.cmp(other));
    let mut found: Vec<_> = files.iter().map(|(path, data)| scanner.scan_file(path.as_str(), data)).collect();
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
    fn nothing_to_read_is_not_assessed() {
        let directory = tempfile::tempdir().unwrap();
        for path in [directory.path().to_path_buf(), directory.path().join("absent")] {
            assert_eq!(Scanner::new().scan_path(&path).verdict(), Verdict::NotAssessed);
        }
    }
}
