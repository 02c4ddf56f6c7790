//! The wheel cache: `<cache>/wheels/sha256/<hex>/<file>.whl`. Being in it proves nothing; every wheel is hashed again
//! before each use.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use sealyard_core::Digest;

use crate::own::{is_own, own_directory};
use crate::tags::WheelName;
use crate::{EnvError, Interpreter, Locked, Progress, Wheel};

/// A wheel that lies in the cache.
#[derive(Debug, Clone)]
pub(crate) struct Cached {
    pub(crate) wheel: Wheel,
    pub(crate) path: PathBuf,
}

/// The wheels for `requirements` in the cache, fetched where they are missing, each hashed against the lock.
pub(crate) fn wheels(
    requirements: &[&Locked],
    interpreter: &Interpreter,
    cache: &Path,
    progress: &mut dyn FnMut(Progress),
) -> Result<Vec<Cached>, EnvError> {
    let store = cache.join("wheels").join("sha256");
    for folder in [&cache.join("wheels"), &store] {
        own_directory(folder)?;
    }
    let find = |locked: &&Locked| find(locked, interpreter, &store);
    let missing: Vec<&Locked> = requirements.iter().filter(|locked| find(locked).is_none()).copied().collect();
    if !missing.is_empty() {
        fetch(&missing, requirements.len(), interpreter, cache, &store, progress)?;
    }
    let mut found = Vec::with_capacity(requirements.len());
    for locked in requirements {
        found.push(find(locked).ok_or_else(|| EnvError::Sdist { requirement: locked.to_string() })?);
    }
    let total = found.len();
    crate::parallel::map(&found, verify, &mut |done| progress(Progress::Verifying { done, total }))?;
    Ok(found)
}

/// Hashes a cached wheel against its lock entry.
fn verify(cached: &Cached) -> Result<(), EnvError> {
    let file = File::open(&cached.path).map_err(EnvError::io("open", &cached.path))?;
    let (digest, _) = Digest::of_reader(file).map_err(EnvError::io("read", &cached.path))?;
    if digest != cached.wheel.digest {
        return Err(EnvError::digest(&cached.wheel.filename, digest));
    }
    Ok(())
}

/// The cached wheel of `locked` that fits best.
fn find(locked: &Locked, interpreter: &Interpreter, store: &Path) -> Option<Cached> {
    let tags = interpreter.tags();
    let mut best: Option<(u32, Cached)> = None;
    for digest in &locked.hashes {
        let home = store.join(digest.to_hex());
        // Neither a folder nor a file of somebody else, who could exchange it once it was hashed.
        if !fs::symlink_metadata(&home).is_ok_and(|metadata| is_own(&metadata)) {
            continue;
        }
        let Ok(entries) = fs::read_dir(home) else { continue };
        for entry in entries.flatten().take(16) {
            if !entry.metadata().is_ok_and(|metadata| metadata.is_file() && is_own(&metadata)) {
                continue;
            }
            let Ok(filename) = entry.file_name().into_string() else { continue };
            let Some(name) =
                WheelName::parse(&filename).filter(|name| name.name == locked.name && name.version == locked.version)
            else {
                continue;
            };
            let Some(rank) = tags.rank(&name) else { continue };
            if best.as_ref().is_none_or(|(other, _)| rank > *other) {
                let wheel =
                    Wheel { name: locked.name.clone(), version: locked.version.to_string(), filename, digest: *digest };
                best = Some((rank, Cached { wheel, path: entry.path() }));
            }
        }
    }
    best.map(|(_, cached)| cached)
}

/// Lets pip fetch `missing`, as the user has configured it, and takes what it brought into the cache.
fn fetch(
    missing: &[&Locked],
    total: usize,
    interpreter: &Interpreter,
    cache: &Path,
    store: &Path,
    progress: &mut dyn FnMut(Progress),
) -> Result<(), EnvError> {
    let directory = tempfile::Builder::new()
        .prefix(&crate::scratch::scratch_prefix("fetching"))
        .tempdir_in(cache)
        .map_err(EnvError::io("create a folder in", cache))?;
    let list = directory.path().join("requirements.txt");
    let wheels = directory.path().join("wheels");
    fs::write(&list, subset(missing)).map_err(EnvError::io("write", &list))?;
    let there = total - missing.len();
    progress(Progress::Fetching { done: there, total });
    let mut seen = 0;
    pip(interpreter, &list, &wheels, missing, &mut |line| {
        if line.starts_with("Collecting ") && seen < missing.len() {
            seen += 1;
            progress(Progress::Fetching { done: there + seen, total });
        }
    })?;
    for entry in fs::read_dir(&wheels).map_err(EnvError::io("read", &wheels))? {
        let entry = entry.map_err(EnvError::io("read", &wheels))?;
        take_in(&entry.path(), missing, store)?;
    }
    sealyard_core::durable::sync_parent(&store.join("wheels")).map_err(EnvError::io("sync", store))
}

/// A lock of `requirements` alone, without markers: they were evaluated.
fn subset(requirements: &[&Locked]) -> String {
    let mut text = String::new();
    for locked in requirements {
        text.push_str(&locked.to_string());
        for hash in &locked.hashes {
            text.push_str(" \\\n    --hash=");
            text.push_str(&hash.to_string());
        }
        text.push('\n');
    }
    text
}

fn pip(
    interpreter: &Interpreter,
    list: &Path,
    wheels: &Path,
    missing: &[&Locked],
    on_line: &mut dyn FnMut(&str),
) -> Result<(), EnvError> {
    let failed = |detail: String| EnvError::Fetch { detail };
    let mut child = Command::new(interpreter.executable())
        .args(["-I", "-m", "pip", "download", "--no-deps", "--require-hashes", "--only-binary=:all:", "--no-input"])
        .args(["--disable-pip-version-check", "--progress-bar=off", "--no-color", "-r"])
        .arg(list)
        .arg("-d")
        .arg(wheels)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| failed(error.to_string()))?;
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    // Read both at once: a full pipe that nobody reads would stop pip.
    let errors = std::thread::spawn(move || {
        let mut text = Vec::new();
        if let Some(stderr) = stderr {
            let _ = stderr.take(1 << 20).read_to_end(&mut text);
        }
        String::from_utf8_lossy(&text).into_owned()
    });
    let mut said = String::new();
    if let Some(stdout) = stdout {
        for line in BufReader::new(stdout.take(16 << 20)).lines().map_while(Result::ok) {
            on_line(&line);
            said.push_str(&line);
            said.push('\n');
        }
    }
    let status = child.wait().map_err(|error| failed(error.to_string()))?;
    let errors = errors.join().unwrap_or_default();
    if status.success() {
        return Ok(());
    }
    said.push_str(&errors);
    Err(diagnose(&said, &errors, missing))
}

/// Which rule pip's refusal means.
fn diagnose(said: &str, errors: &str, missing: &[&Locked]) -> EnvError {
    if said.contains("DO NOT MATCH THE HASHES") {
        let lines: Vec<&str> =
            said.lines().skip_while(|line| !line.contains("DO NOT MATCH")).skip(1).map(str::trim).take(6).collect();
        let wheel = lines.first().and_then(|line| line.split_whitespace().next()).unwrap_or("one of them");
        return EnvError::WheelDigest { wheel: wheel.to_owned(), detail: lines.join("; ") };
    }
    let unreachable = ["Retrying (", "Failed to establish", "ConnectionError", "SSLError", "Could not fetch URL"];
    if !unreachable.iter().any(|word| said.contains(word)) {
        let line = errors.lines().find_map(|line| line.split_once("No matching distribution found for "));
        if let Some((_, requirement)) = line {
            let requirement = requirement.split_whitespace().next().unwrap_or(requirement);
            let known = missing.iter().find(|locked| requirement.starts_with(&locked.to_string()));
            return EnvError::Sdist { requirement: known.map_or_else(|| requirement.to_owned(), ToString::to_string) };
        }
    }
    let last: Vec<&str> = errors.lines().filter(|line| !line.trim().is_empty()).collect();
    let tail = last.get(last.len().saturating_sub(4)..).unwrap_or_default();
    EnvError::Fetch { detail: tail.join("; ") }
}

/// Hashes a fetched file and moves it into the cache if the lock lists it.
fn take_in(path: &Path, missing: &[&Locked], store: &Path) -> Result<(), EnvError> {
    let filename = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let Some(name) = WheelName::parse(filename) else {
        return Err(EnvError::Sdist { requirement: filename.to_owned() });
    };
    let file = File::open(path).map_err(EnvError::io("open", path))?;
    let (digest, _) = Digest::of_reader(&file).map_err(EnvError::io("read", path))?;
    let locked = missing.iter().find(|locked| locked.name == name.name && locked.version == name.version);
    if !locked.is_some_and(|locked| locked.hashes.contains(&digest)) {
        return Err(EnvError::digest(filename, digest));
    }
    file.sync_all().map_err(EnvError::io("sync", path))?;
    let home = store.join(digest.to_hex());
    own_directory(&home)?;
    let target = home.join(filename);
    fs::rename(path, &target).map_err(EnvError::io("move a wheel to", &target))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Lock;

    fn lock() -> Lock {
        let text = format!("a==1.0 --hash={}\n", Digest::of(b"wheel"));
        Lock::parse("requirements.txt", text.as_bytes()).unwrap()
    }

    #[test]
    fn a_wheel_with_other_bytes_is_not_taken_in_and_not_used() {
        let cache = tempfile::tempdir().unwrap();
        let store = cache.path().join("wheels/sha256");
        let lock = lock();
        let wanted: Vec<&Locked> = lock.requirements().iter().collect();
        let path = cache.path().join("a-1.0-py3-none-any.whl");
        fs::write(&path, "whee1").unwrap();
        let error = take_in(&path, &wanted, &store).unwrap_err();
        assert_eq!(error.rule(), Some("environment.wheel-digest"));
        assert!(error.to_string().contains("a-1.0-py3-none-any.whl"));

        fs::write(&path, "wheel").unwrap();
        take_in(&path, &wanted, &store).unwrap();
        let interpreter = Interpreter::find(None).unwrap();
        let found = wheels(&wanted, &interpreter, cache.path(), &mut |_| {}).unwrap();
        fs::write(&found[0].path, "whee1").unwrap();
        let error = wheels(&wanted, &interpreter, cache.path(), &mut |_| {}).unwrap_err();
        assert_eq!(error.rule(), Some("environment.wheel-digest"));
    }

    #[test]
    fn a_wheel_that_others_could_exchange_is_not_used() {
        use std::os::unix::fs::PermissionsExt as _;
        let cache = tempfile::tempdir().unwrap();
        let store = cache.path().join("wheels/sha256");
        let (lock, interpreter) = (lock(), Interpreter::find(None).unwrap());
        let locked = &lock.requirements()[0];
        let path = cache.path().join("a-1.0-py3-none-any.whl");
        fs::write(&path, "wheel").unwrap();
        take_in(&path, &[locked], &store).unwrap();
        let found = find(locked, &interpreter, &store).unwrap().path;
        fs::rename(&found, &path).unwrap();
        std::os::unix::fs::symlink(&path, &found).unwrap();
        assert!(find(locked, &interpreter, &store).is_none(), "a link leads anywhere");
        fs::rename(&path, &found).unwrap();
        assert!(find(locked, &interpreter, &store).is_some());
        fs::set_permissions(found.parent().unwrap(), fs::Permissions::from_mode(0o777)).unwrap();
        assert!(find(locked, &interpreter, &store).is_none(), "anybody may write beside it");
    }

    #[test]
    fn a_source_archive_is_refused() {
        let cache = tempfile::tempdir().unwrap();
        let path = cache.path().join("a-1.0.tar.gz");
        fs::write(&path, "wheel").unwrap();
        let lock = lock();
        let error = take_in(&path, &[&lock.requirements()[0]], cache.path()).unwrap_err();
        assert_eq!(error.rule(), Some("environment.sdist"));
    }

    #[test]
    fn pips_refusals_are_told_apart() {
        let lock = lock();
        let missing = [&lock.requirements()[0]];
        let mismatch = "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.\n    a==1.0 from x:\n        Expected sha256 0\n             Got        1\n";
        let none = "ERROR: No matching distribution found for a==1.0 (from -r x)\n";
        let away = format!("WARNING: Retrying (Retry(total=0)) after connection broken\n{none}");
        assert_eq!(diagnose(mismatch, mismatch, &missing).rule(), Some("environment.wheel-digest"));
        assert_eq!(diagnose(none, none, &missing).rule(), Some("environment.sdist"));
        assert!(matches!(diagnose(&away, &away, &missing), EnvError::Fetch { .. }));
    }
}
