//! Building an environment from a lock, or reusing one whose every file still has its hash.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use sealyard_core::{Digest, TreePath, durable};

use crate::cache::Cached;
use crate::manifest::{Manifest, survey};
use crate::own::{is_own, own_directory};
use crate::scratch::{remove_leftovers, scratch_prefix};
use crate::wheel::OpenWheel;
use crate::{EnvError, Interpreter, InterpreterRecord, Lock, Progress, Wheel, scripts};

const FORMAT: u32 = 1;

/// What to build.
#[derive(Debug, Clone, Copy)]
pub struct BuildRequest<'a> {
    /// The lock.
    pub lock: &'a Lock,
    /// The interpreter.
    pub interpreter: &'a Interpreter,
    /// Wheels and environments are kept here; a folder of the user's own.
    pub cache: &'a Path,
    /// The absolute path that the environment will be seen at; scripts and byte code name it.
    pub prefix: &'a str,
}

/// An environment whose every file was just hashed.
#[derive(Debug, Clone)]
pub struct Environment {
    /// Where it lies on this machine.
    pub root: PathBuf,
    /// SHA-256 of the lock.
    pub lock_digest: Digest,
    /// Every wheel in it.
    pub wheels: Vec<Wheel>,
    /// Its interpreter.
    pub interpreter: InterpreterRecord,
    /// SHA-256 of the manifest of its files.
    pub manifest_digest: Digest,
    /// Whether it had been built before.
    pub reused: bool,
}

/// The environment of a lock: the one in the cache when nothing in it has changed, otherwise a new one.
///
/// No code of the packages runs: wheels are unpacked here, then the interpreter's own compiler makes byte code.
///
/// # Errors
/// [`EnvError`]; nothing half-built is left.
pub fn build(request: &BuildRequest<'_>, progress: &mut dyn FnMut(Progress)) -> Result<Environment, EnvError> {
    let selected = request.lock.select(request.interpreter.markers())?;
    own_directory(request.cache)?;
    let cached = crate::cache::wheels(&selected, request.interpreter, request.cache, progress)?;
    let wheels: Vec<Wheel> = cached.iter().map(|cached| cached.wheel.clone()).collect();
    let environments = request.cache.join("environments");
    own_directory(&environments)?;
    remove_leftovers(&environments);
    let home = environments.join(key(request));
    if let Some(environment) = reuse(&home, request, &wheels, progress) {
        return Ok(environment);
    }
    let directory = tempfile::Builder::new()
        .prefix(&scratch_prefix("building"))
        .tempdir_in(&environments)
        .map_err(EnvError::io("create a folder in", &environments))?;
    let root = directory.path().join("root");
    install(request, &cached, &root, progress)?;
    progress(Progress::Compiling);
    compile(request, &root)?;
    let (files, links) = survey(&root)?;
    let interpreter = request.interpreter.record().clone();
    let manifest = Manifest { format: FORMAT, lock: request.lock.digest(), interpreter, wheels, links, files };
    let bytes = manifest.to_bytes();
    let path = directory.path().join("manifest.json");
    durable::write(&path, &bytes, 0o600).map_err(EnvError::io("write", &path))?;
    replace(directory, &home)?;
    Ok(environment(&home, manifest, &bytes, false))
}

fn environment(home: &Path, manifest: Manifest, bytes: &[u8], reused: bool) -> Environment {
    Environment {
        root: home.join("root"),
        lock_digest: manifest.lock,
        wheels: manifest.wheels,
        interpreter: manifest.interpreter,
        manifest_digest: Digest::of(bytes),
        reused,
    }
}

/// What an environment depends on, as a folder name.
fn key(request: &BuildRequest<'_>) -> String {
    let InterpreterRecord { implementation, version, path, digest, platform } = request.interpreter.record();
    let lock = request.lock.digest();
    let prefix = request.prefix;
    let text =
        format!("environment {FORMAT}\n{lock}\n{implementation}\n{version}\n{path}\n{digest}\n{platform}\n{prefix}\n");
    Digest::of(text.as_bytes()).to_hex()
}

/// The environment at `home` if it is exactly what its manifest says; anything else is built anew.
fn reuse(
    home: &Path,
    request: &BuildRequest<'_>,
    wheels: &[Wheel],
    progress: &mut dyn FnMut(Progress),
) -> Option<Environment> {
    // A folder that somebody else made can be changed by them after it was hashed.
    if !fs::symlink_metadata(home).is_ok_and(|metadata| is_own(&metadata)) {
        return None;
    }
    let manifest = Manifest::read(&home.join("manifest.json"))?;
    let expected = manifest.format == FORMAT
        && manifest.lock == request.lock.digest()
        && manifest.interpreter == *request.interpreter.record()
        && manifest.wheels == wheels;
    if !expected {
        return None;
    }
    progress(Progress::Checking { files: manifest.files.entries().len() });
    let (files, links) = survey(&home.join("root")).ok()?;
    if files != manifest.files || links != manifest.links {
        tracing::warn!(environment = %home.display(), "a file of the environment was changed; it is built anew");
        return None;
    }
    let bytes = manifest.to_bytes();
    Some(environment(home, manifest, &bytes, true))
}

/// Puts a finished build in the place of whatever is at `home`.
fn replace(directory: tempfile::TempDir, home: &Path) -> Result<(), EnvError> {
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o700))
        .map_err(EnvError::io("protect", directory.path()))?;
    if fs::symlink_metadata(home).is_ok() {
        let parent = home.parent().unwrap_or(home);
        let away = tempfile::Builder::new()
            .prefix(&scratch_prefix("old"))
            .tempdir_in(parent)
            .map_err(EnvError::io("create a folder in", parent))?;
        fs::rename(home, away.path().join("old")).map_err(EnvError::io("move away", home))?;
    }
    let built = directory.keep();
    fs::rename(&built, home).map_err(|error| {
        let _ = fs::remove_dir_all(&built);
        EnvError::io("move the environment to", home)(error)
    })?;
    durable::sync_parent(home).map_err(EnvError::io("sync", home))
}

/// Unpacks every wheel. Where two wheels bring one path, the one whose name comes last has it, whatever thread is first.
fn install(
    request: &BuildRequest<'_>,
    cached: &[Cached],
    root: &Path,
    progress: &mut dyn FnMut(Progress),
) -> Result<(), EnvError> {
    let library = request.interpreter.library_name();
    skeleton(request, root, &library)?;
    let mut owners: BTreeMap<TreePath, usize> = BTreeMap::new();
    for (index, cached) in cached.iter().enumerate() {
        for path in OpenWheel::open(cached, &library)?.members.into_keys() {
            owners.insert(path, index);
        }
    }
    let python = format!("{}/bin/python", request.prefix);
    let numbered: Vec<(usize, &Cached)> = cached.iter().enumerate().collect();
    let total = cached.len();
    let unpack = |(index, cached): &(usize, &Cached)| -> Result<(), EnvError> {
        let mut wheel = OpenWheel::open(cached, &library)?;
        let members = std::mem::take(&mut wheel.members);
        for (path, member) in members.iter().filter(|(path, _)| owners.get(*path) == Some(index)) {
            if member.script {
                let bytes = scripts::with_interpreter(wheel.read(member)?, &python);
                write(root, path, &bytes, true)?;
            } else {
                let mode = if member.executable { 0o755 } else { 0o644 };
                let (mut file, target) = create(root, path, mode)?;
                wheel.copy(member, &mut file)?;
                // Readable for the sandbox's user, whatever the caller's umask.
                file.set_permissions(fs::Permissions::from_mode(mode)).map_err(EnvError::io("write", &target))?;
            }
        }
        let console = scripts::console(&wheel.entry_points, &python)
            .map_err(|detail| EnvError::Wheel { wheel: wheel.filename.clone(), detail })?;
        for (path, bytes) in console {
            if !owners.contains_key(&path) {
                write(root, &path, &bytes, true)?;
            }
        }
        Ok(())
    };
    crate::parallel::map(&numbered, unpack, &mut |done| progress(Progress::Installing { done, total }))?;
    Ok(())
}

/// What `python -m venv` makes, without running anything.
fn skeleton(request: &BuildRequest<'_>, root: &Path, library: &str) -> Result<(), EnvError> {
    let packages = root.join("lib").join(library).join("site-packages");
    let bin = root.join("bin");
    for directory in [&packages, &bin] {
        fs::create_dir_all(directory).map_err(EnvError::io("create", directory))?;
    }
    let executable = request.interpreter.executable();
    let home = executable.parent().unwrap_or(executable);
    let configuration = format!(
        "home = {}\ninclude-system-site-packages = false\nversion = {}\n",
        home.display(),
        request.interpreter.record().version
    );
    let path = TreePath::new("pyvenv.cfg").map_err(|error| EnvError::Compile { detail: error.to_string() })?;
    write(root, &path, configuration.as_bytes(), false)?;
    let link = |target: &Path, name: PathBuf| symlink(target, &name).map_err(EnvError::io("link", &name));
    link(executable, bin.join("python"))?;
    link(Path::new("python"), bin.join("python3"))?;
    link(Path::new("python"), bin.join(library))?;
    link(Path::new("lib"), root.join("lib64"))
}

fn write(root: &Path, path: &TreePath, bytes: &[u8], executable: bool) -> Result<(), EnvError> {
    let mode = if executable { 0o755 } else { 0o644 };
    let (mut file, target) = create(root, path, mode)?;
    file.write_all(bytes).map_err(EnvError::io("write", &target))?;
    // Readable for the sandbox's user, whatever the caller's umask.
    file.set_permissions(fs::Permissions::from_mode(mode)).map_err(EnvError::io("write", &target))
}

/// A new file of the environment, and its folders.
fn create(root: &Path, path: &TreePath, mode: u32) -> Result<(fs::File, PathBuf), EnvError> {
    let target = root.join(path);
    if let Some(parent) = target.parent() {
        fs::create_dir_all(parent).map_err(EnvError::io("create", parent))?;
    }
    // Two wheels' console scripts may have one name; the later one is as good as the earlier.
    let _ = fs::remove_file(&target);
    let file = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(&target)
        .map_err(EnvError::io("create", &target))?;
    Ok((file, target))
}

/// Makes byte code with the interpreter's own compiler. Modules that do not compile (templates, old syntax) stay as they are.
fn compile(request: &BuildRequest<'_>, root: &Path) -> Result<(), EnvError> {
    let failed = |detail: String| EnvError::Compile { detail };
    let output = Command::new(request.interpreter.executable())
        .args(["-I", "-S", "-m", "compileall", "-qq", "-j", "2", "--invalidation-mode", "unchecked-hash", "-s"])
        .arg(root)
        .arg("-p")
        .arg(request.prefix)
        .arg(root.join("lib"))
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("PYTHONHASHSEED", "0")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .output()
        .map_err(|error| failed(error.to_string()))?;
    if matches!(output.status.code(), Some(0 | 1)) && !output.stderr.starts_with(b"Traceback") {
        open_folders(root)?;
        return Ok(());
    }
    let text = String::from_utf8_lossy(&output.stderr);
    let tail: Vec<&str> = text.lines().rev().take(3).collect();
    Err(failed(tail.into_iter().rev().collect::<Vec<_>>().join("; ")))
}

/// Lets the sandbox's user read, whatever the caller's umask was.
fn open_folders(root: &Path) -> Result<(), EnvError> {
    let mut pending = vec![root.to_path_buf()];
    while let Some(directory) = pending.pop() {
        fs::set_permissions(&directory, fs::Permissions::from_mode(0o755)).map_err(EnvError::io("open", &directory))?;
        for entry in fs::read_dir(&directory).map_err(EnvError::io("read", &directory))? {
            let entry = entry.map_err(EnvError::io("read", &directory))?;
            let kind = entry.file_type().map_err(EnvError::io("read", &directory))?;
            if kind.is_dir() {
                pending.push(entry.path());
            } else if kind.is_file() && entry.path().extension().is_some_and(|extension| extension == "pyc") {
                fs::set_permissions(entry.path(), fs::Permissions::from_mode(0o644))
                    .map_err(EnvError::io("open", &directory))?;
            }
        }
    }
    Ok(())
}
