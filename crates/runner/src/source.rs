//! Which git commit a project is.
//!
//! A commit's name is the digest of all that is in it, so every object on the way is hashed here and compared with the staged
//! files: a repository can't pass other files off as those of a commit. Its remote's URL, though, is only what its settings say.

use std::collections::BTreeMap;
use std::path::Path;

use crate::Source;
use crate::git;
use crate::staging::Staged;

const MAX_TREES: usize = 50_000;
const MAX_FILES: usize = 200_000;

/// Files of a commit: whether each is executable, and its blob. None is what no staged file can be, such as a link.
type Files = BTreeMap<String, Option<(bool, String)>>;

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
    let prefix = prefix.trim_end_matches('/');
    let remote =
        text(directory, &["config", "--local", "--get", "remote.origin.url"]).ok().map(|url| without_credentials(&url));
    let committed = files(directory, &commit, prefix)?;
    let dirty = is_dirty(committed, commit.len(), staged)?;
    Ok(Source::Git { commit, dirty, directory: prefix.to_owned(), remote })
}

/// Whether the staged files are not exactly those of the commit. Filters are not applied: they are programs.
fn is_dirty(mut committed: Files, length: usize, staged: &Staged) -> Result<bool, String> {
    for data in staged.data.values() {
        committed.remove(&data.record.path);
    }
    let entries = staged.tree.entries();
    if committed.len() != entries.len() {
        return Ok(true);
    }
    for entry in entries {
        let Some(Some((executable, blob))) = committed.get(entry.path.as_str()) else { return Ok(true) };
        let file = std::fs::File::open(staged.root().join(&entry.path)).map_err(|error| error.to_string())?;
        if *executable != entry.executable || *blob != git::blob(file, entry.size, length)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The files of `commit` below `prefix`.
fn files(directory: &Path, commit: &str, prefix: &str) -> Result<Files, String> {
    let contents = git::objects(directory, "commit", &[commit.to_owned()])?;
    let head = contents.first().and_then(|content| content.strip_prefix(b"tree "));
    let root = head.and_then(|rest| std::str::from_utf8(rest.get(..commit.len())?).ok());
    let mut tree = root.ok_or("git gave a malformed commit")?.to_owned();
    for part in prefix.split('/').filter(|part| !part.is_empty()) {
        let found = git::objects(directory, "tree", &[tree])?;
        let entries = entries(found.first().map_or(&[], Vec::as_slice), commit.len())?;
        let below = entries.into_iter().find(|entry| entry.name == part && entry.mode == "40000");
        match below {
            Some(entry) => tree = entry.object,
            // The folder is not in the commit at all.
            None => return Ok(Files::new()),
        }
    }
    let mut files = Files::new();
    let (mut level, mut seen) = (vec![(String::new(), tree)], 1);
    while !level.is_empty() {
        let names: Vec<String> = level.iter().map(|(_, tree)| tree.clone()).collect();
        let mut below = Vec::new();
        for ((folder, _), content) in level.iter().zip(git::objects(directory, "tree", &names)?) {
            for Entry { mode, name, object } in entries(&content, commit.len())? {
                let path = format!("{folder}{name}");
                match mode {
                    "40000" => below.push((format!("{path}/"), object)),
                    "100644" | "100664" => drop(files.insert(path, Some((false, object)))),
                    "100755" => drop(files.insert(path, Some((true, object)))),
                    _ => drop(files.insert(path, None)),
                }
            }
        }
        seen += below.len();
        if seen > MAX_TREES || files.len() > MAX_FILES {
            return Err("the commit has too many files".into());
        }
        level = below;
    }
    Ok(files)
}

/// One line of a tree.
struct Entry<'a> {
    mode: &'a str,
    name: &'a str,
    object: String,
}

/// A tree's lines: `<mode> <name>`, a NUL, the object's name in bytes.
fn entries(mut content: &[u8], length: usize) -> Result<Vec<Entry<'_>>, String> {
    let mut found = Vec::new();
    while !content.is_empty() {
        let entry = || {
            let end = content.iter().position(|byte| *byte == 0)?;
            let (head, rest) = content.split_at_checked(end)?;
            let (mode, name) = std::str::from_utf8(head).ok()?.split_once(' ')?;
            let (object, rest) = rest.get(1..)?.split_at_checked(length / 2)?;
            Some((Entry { mode, name, object: git::hex(object) }, rest))
        };
        let (entry, rest) = entry().ok_or("git gave a malformed tree, or a name that is not UTF-8")?;
        found.push(entry);
        content = rest;
    }
    Ok(found)
}

fn text(directory: &Path, arguments: &[&str]) -> Result<String, String> {
    let output = git::run(directory, arguments, b"")?;
    Ok(String::from_utf8_lossy(&output).trim().to_owned())
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
    use std::path::PathBuf;
    use std::process::{Command, Stdio};

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

    fn printed(arguments: &[&str], directory: &Path) -> String {
        let output = Command::new("git").arg("-C").arg(directory).args(arguments).output().unwrap();
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    fn loose(repository: &Path, name: &str) -> PathBuf {
        repository.join(".git/objects").join(&name[..2]).join(&name[2..])
    }

    fn committed() -> (tempfile::TempDir, tempfile::TempDir) {
        let (repository, cache) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        fs::create_dir(repository.path().join("sub")).unwrap();
        fs::write(repository.path().join("sub/train.py"), "good").unwrap();
        in_repository(&["init", "-q"], repository.path());
        in_repository(&["add", "."], repository.path());
        in_repository(&["commit", "-qm", "one"], repository.path());
        (repository, cache)
    }

    fn look(directory: &Path, cache: &Path) -> Source {
        source(directory, &stage(directory, &BTreeMap::new(), &BTreeMap::new(), cache).unwrap())
    }

    #[test]
    fn other_files_do_not_pass_for_those_of_a_commit() {
        let (repository, cache) = committed();
        assert!(matches!(look(repository.path(), cache.path()), Source::Git { dirty: false, .. }));
        let good = printed(&["rev-parse", "HEAD:sub"], repository.path());
        // Another tree under the name of the committed one: git itself does not notice.
        fs::write(repository.path().join("sub/train.py"), "evil").unwrap();
        in_repository(&["add", "."], repository.path());
        let root = printed(&["write-tree"], repository.path());
        let evil = printed(&["rev-parse", &format!("{root}:sub")], repository.path());
        fs::remove_file(loose(repository.path(), &good)).unwrap();
        fs::copy(loose(repository.path(), &evil), loose(repository.path(), &good)).unwrap();
        assert!(
            printed(&["ls-tree", "-r", "HEAD"], repository.path())
                .contains(&printed(&["hash-object", "sub/train.py"], repository.path()))
        );
        for directory in [repository.path().to_path_buf(), repository.path().join("sub")] {
            let seen = look(&directory, cache.path());
            assert!(matches!(&seen, Source::Unversioned { reason } if reason.contains("other content")), "{seen:?}");
        }
    }

    #[test]
    fn what_a_repository_lacks_is_not_fetched_by_its_own_program() {
        let (repository, cache) = committed();
        let marker = repository.path().join("ran");
        let missing = printed(&["rev-parse", "HEAD:sub"], repository.path());
        let trap = format!("ext::touch {}", marker.display());
        for (name, value) in [
            ("core.repositoryformatversion", "1"),
            ("extensions.partialClone", "origin"),
            ("remote.origin.promisor", "true"),
            ("remote.origin.url", trap.as_str()),
            ("protocol.ext.allow", "always"),
        ] {
            in_repository(&["config", name, value], repository.path());
        }
        fs::remove_file(loose(repository.path(), &missing)).unwrap();
        assert!(matches!(look(repository.path(), cache.path()), Source::Unversioned { .. }));
        assert!(!marker.exists());
    }

    #[test]
    fn a_link_of_the_commit_is_not_the_file_with_its_text() {
        let (repository, cache) = committed();
        std::os::unix::fs::symlink("elsewhere", repository.path().join("link")).unwrap();
        in_repository(&["add", "."], repository.path());
        in_repository(&["commit", "-qm", "two"], repository.path());
        fs::remove_file(repository.path().join("link")).unwrap();
        fs::write(repository.path().join("link"), "elsewhere").unwrap();
        assert!(matches!(look(repository.path(), cache.path()), Source::Git { dirty: true, .. }));
    }
}
