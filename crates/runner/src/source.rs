//! Which git commit a project is, without letting the repository's own settings run anything.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::Source;
use crate::staging::Staged;

const MAX_OUTPUT: u64 = 64 << 20;

/// What git says of `directory`; its files are compared with those that were staged.
pub(crate) fn source(directory: &Path, staged: &Staged) -> Source {
    read(directory, staged).unwrap_or_else(|reason| Source::Unversioned { reason })
}

fn read(directory: &Path, staged: &Staged) -> Result<Source, String> {
    let commit = text(directory, &["rev-parse", "--verify", "HEAD^{commit}"])?;
    if !matches!(commit.len(), 40 | 64) || !commit.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
        return Err("git gave no commit".into());
    }
    let prefix = text(directory, &["rev-parse", "--show-prefix"])?;
    let remote =
        text(directory, &["config", "--local", "--get", "remote.origin.url"]).ok().map(|url| without_credentials(&url));
    let dirty = is_dirty(directory, &commit, staged)?;
    Ok(Source::Git { commit, dirty, directory: prefix.trim_end_matches('/').to_owned(), remote })
}

/// Whether the staged files are not exactly those of the commit. Filters are not applied: they are programs.
fn is_dirty(directory: &Path, commit: &str, staged: &Staged) -> Result<bool, String> {
    let listing = git(directory, &["ls-tree", "-r", "-z", commit, "."], b"")?;
    let mut committed = BTreeMap::new();
    for line in listing.split(|byte| *byte == 0).filter(|line| !line.is_empty()) {
        let line = String::from_utf8_lossy(line);
        let Some((head, path)) = line.split_once('\t') else { return Err("git gave a malformed listing".into()) };
        let mut fields = head.split(' ');
        let (mode, blob) = (fields.next().unwrap_or_default(), fields.nth(1).unwrap_or_default());
        committed.insert(path.to_owned(), (mode == "100755", blob.to_owned()));
    }
    for data in staged.data.values() {
        committed.remove(&data.record.path);
    }
    let entries = staged.tree.entries();
    if committed.len() != entries.len() {
        return Ok(true);
    }
    let names: String = entries.iter().map(|entry| format!("{}\n", entry.path)).collect();
    let hashes = git_in(directory, &staged.root(), &names)?;
    let same = entries.iter().zip(hashes.lines()).all(|(entry, blob)| {
        committed
            .get(entry.path.as_str())
            .is_some_and(|(executable, committed)| committed == blob && *executable == entry.executable)
    });
    Ok(!same || hashes.lines().count() != entries.len())
}

/// The blob names that the staged files would have.
fn git_in(directory: &Path, root: &Path, names: &str) -> Result<String, String> {
    // Absolute names, so that git runs in the repository and knows its hash.
    let mut absolute = String::new();
    for name in names.lines() {
        absolute.push_str(&format!("{}/{name}\n", root.display()));
    }
    let output = git(directory, &["hash-object", "--no-filters", "--stdin-paths"], absolute.as_bytes())?;
    String::from_utf8(output).map_err(|error| error.to_string())
}

fn text(directory: &Path, arguments: &[&str]) -> Result<String, String> {
    let output = git(directory, arguments, b"")?;
    Ok(String::from_utf8_lossy(&output).trim().to_owned())
}

fn git(directory: &Path, arguments: &[&str], input: &[u8]) -> Result<Vec<u8>, String> {
    let mut child = Command::new("git")
        .args([
            "-c",
            "core.fsmonitor=false",
            "-c",
            "core.hooksPath=/dev/null",
            "-c",
            "safe.directory=*",
            "-c",
            "protocol.allow=never",
        ])
        .arg("-C")
        .arg(directory)
        .args(arguments)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_else(|| "/usr/bin:/bin".into()))
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_OPTIONAL_LOCKS", "0")
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("GIT_NO_LAZY_FETCH", "1")
        .env("GIT_NO_REPLACE_OBJECTS", "1")
        .env("LC_ALL", "C")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| format!("git can't be run: {error}"))?;
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let input = input.to_vec();
    let writer = std::thread::spawn(move || stdin.is_none_or(|mut stdin| stdin.write_all(&input).is_ok()));
    let errors = std::thread::spawn(move || {
        let mut text = String::new();
        let _ = stderr.map(|stderr| stderr.take(1 << 16).read_to_string(&mut text));
        text
    });
    let mut output = Vec::new();
    let read = stdout.map(|stdout| stdout.take(MAX_OUTPUT).read_to_end(&mut output));
    let status = child.wait().map_err(|error| error.to_string())?;
    let (_, errors) = (writer.join(), errors.join().unwrap_or_default());
    match read {
        Some(Ok(_)) if status.success() => Ok(output),
        _ => Err(errors.lines().next().unwrap_or("git failed").chars().take(200).collect()),
    }
}

/// A remote's URL without user and password.
fn without_credentials(url: &str) -> String {
    match url.split_once("://") {
        Some((scheme, rest)) => {
            let (authority, path) = rest.find('/').map_or((rest, ""), |slash| rest.split_at(slash));
            let host = authority.rsplit('@').next().unwrap_or(authority);
            format!("{scheme}://{host}{path}")
        }
        None => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::staging::stage;
    use std::fs;

    fn in_repository(arguments: &[&str], directory: &Path) {
        let status = Command::new("git")
            .arg("-C")
            .arg(directory)
            .args(["-c", "user.name=x", "-c", "user.email=x@example.org", "-c", "init.defaultBranch=main"])
            .args(arguments)
            .stdout(Stdio::null())
            .status()
            .unwrap();
        assert!(status.success(), "{arguments:?}");
    }

    #[test]
    fn commit_and_dirt_are_seen_and_no_program_of_the_repository_runs() {
        let (repository, cache) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let project = repository.path().join("sub");
        fs::create_dir(&project).unwrap();
        let look = || source(&project, &stage(&project, &BTreeMap::new(), &BTreeMap::new(), cache.path()).unwrap());
        fs::write(project.join("train.py"), "one").unwrap();
        assert!(matches!(look(), Source::Unversioned { .. }));
        in_repository(&["init", "-q"], repository.path());
        in_repository(&["add", "."], repository.path());
        in_repository(&["commit", "-qm", "one"], repository.path());
        in_repository(&["remote", "add", "origin", "https://user:secret@example.org/a.git"], repository.path());
        let marker = repository.path().join("ran");
        let trap = format!("touch {}; cat", marker.display());
        in_repository(&["config", "filter.trap.clean", &trap], repository.path());
        in_repository(&["config", "core.fsmonitor", &trap], repository.path());
        fs::write(repository.path().join(".git/info/attributes"), "* filter=trap\n").unwrap();
        let Source::Git { commit, dirty, directory, remote } = look() else { panic!("no commit") };
        assert_eq!((commit.len(), dirty, directory.as_str()), (40, false, "sub"));
        assert_eq!(remote.as_deref(), Some("https://example.org/a.git"));
        fs::write(project.join("train.py"), "two").unwrap();
        assert!(matches!(look(), Source::Git { dirty: true, .. }));
        fs::write(project.join("train.py"), "one").unwrap();
        fs::write(project.join("more.py"), "").unwrap();
        assert!(matches!(look(), Source::Git { dirty: true, .. }));
        assert!(!marker.exists());
    }
}
