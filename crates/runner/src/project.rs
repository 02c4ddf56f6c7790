//! `MLproject`: entry points and the environment that they need.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use sealyard_core::TreePath;
use sealyard_env::Lock;
use serde::Deserialize;

use crate::files::{project, read_text, read_yaml};
use crate::{RunError, files};

/// A project, read and checked.
#[derive(Debug)]
pub(crate) struct Project {
    pub(crate) name: String,
    pub(crate) entry_points: BTreeMap<String, EntryPoint>,
    /// The Python version that the environment asks for.
    pub(crate) python: Option<String>,
    pub(crate) lock: Lock,
}

/// One entry point.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct EntryPoint {
    #[serde(default)]
    pub(crate) parameters: BTreeMap<String, Parameter>,
    pub(crate) command: String,
}

/// A parameter: its type's name alone, or with a default.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub(crate) enum Parameter {
    Type(String),
    Full(FullParameter),
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FullParameter {
    #[serde(default, rename = "type")]
    pub(crate) kind: Option<String>,
    #[serde(default)]
    pub(crate) default: Option<serde_json::Value>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Description {
    #[serde(default)]
    name: String,
    python_env: Option<String>,
    conda_env: Option<String>,
    docker_env: Option<serde_json::Value>,
    #[serde(default)]
    entry_points: BTreeMap<String, EntryPoint>,
}

/// `python_env.yaml`. Its build dependencies are not used: only wheels are installed, so nothing is built.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PythonEnvironment {
    python: Option<serde_json::Value>,
    #[serde(default, rename = "build_dependencies")]
    _build_dependencies: Vec<String>,
    #[serde(default)]
    dependencies: Vec<String>,
}

/// `conda.yaml`, of which only Python and pip's part can be had here.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct CondaEnvironment {
    #[serde(default, rename = "name")]
    _name: Option<String>,
    #[serde(default, rename = "channels")]
    _channels: Vec<String>,
    #[serde(default)]
    dependencies: Vec<CondaDependency>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum CondaDependency {
    Package(String),
    Pip { pip: Vec<String> },
}

impl Project {
    /// Reads the project in `directory`.
    pub(crate) fn read(directory: &Path) -> Result<Self, RunError> {
        let path = find(directory)?;
        let description: Description = read_yaml(&path)?;
        let given =
            [description.python_env.is_some(), description.conda_env.is_some(), description.docker_env.is_some()];
        if given.into_iter().filter(|given| *given).count() > 1 {
            return Err(project(&path, "it names more than one environment"));
        }
        if description.docker_env.is_some() {
            return Err(project(&path, "docker_env is not supported; name a python_env with a hash-pinned lock"));
        }
        let (python, lock) = match (&description.python_env, &description.conda_env) {
            (Some(file), _) => python_environment(directory, file)?,
            (None, Some(file)) => conda_environment(directory, file)?,
            (None, None) if directory.join("python_env.yaml").is_file() => {
                python_environment(directory, "python_env.yaml")?
            }
            (None, None) if directory.join("conda.yaml").is_file() => conda_environment(directory, "conda.yaml")?,
            (None, None) => {
                return Err(project(&path, "it names no environment; name a python_env with a hash-pinned lock"));
            }
        };
        let name = if description.name.is_empty() { "project".to_owned() } else { description.name };
        Ok(Self { name, entry_points: description.entry_points, python, lock })
    }
}

impl Project {
    /// The entry point `name`; a script of the project is one too, as in MLflow.
    pub(crate) fn entry_point(&self, name: &str, root: &Path) -> Option<EntryPoint> {
        if let Some(found) = self.entry_points.get(name) {
            return Some(found.clone());
        }
        let program = match Path::new(name).extension()?.to_str()? {
            "py" => "python",
            "sh" => "sh",
            _ => return None,
        };
        let path = TreePath::new(name).ok().filter(|path| root.join(path).is_file())?;
        // It must not pass for an option.
        let command = format!("{program} {}", crate::parameters::quote(&format!("./{path}")));
        Some(EntryPoint { parameters: BTreeMap::new(), command: command.replace('{', "{{").replace('}', "}}") })
    }
}

/// `MLproject` in any case, as MLflow looks for it; two of them are one too many.
fn find(directory: &Path) -> Result<PathBuf, RunError> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).map_err(files::io("read the project", directory))? {
        let entry = entry.map_err(files::io("read the project", directory))?;
        if entry.file_name().to_str().is_some_and(|name| name.eq_ignore_ascii_case("MLproject")) {
            found.push(entry.path());
        }
    }
    match (found.pop(), found.pop()) {
        (Some(path), None) => Ok(path),
        (Some(path), Some(_)) => Err(project(&path, "there is another one with the same name in other case")),
        (None, _) => Err(project(&directory.join("MLproject"), "there is no such file")),
    }
}

/// A file that the project names, inside it.
fn inside(directory: &Path, from: &Path, name: &str) -> Result<PathBuf, RunError> {
    let name = name.trim().trim_start_matches("./");
    let path = TreePath::new(name).map_err(|error| project(from, error.to_string()))?;
    Ok(directory.join(path))
}

fn python_environment(directory: &Path, file: &str) -> Result<(Option<String>, Lock), RunError> {
    let path = inside(directory, &directory.join("MLproject"), file)?;
    let environment: PythonEnvironment = read_yaml(&path)?;
    let python = environment.python.map(|python| match python {
        serde_json::Value::String(text) => text,
        // `python: 3.11` without quotes is a number to YAML; 3.10 would be 3.1.
        other => other.to_string(),
    });
    Ok((python, lock(directory, &path, &environment.dependencies)?))
}

fn conda_environment(directory: &Path, file: &str) -> Result<(Option<String>, Lock), RunError> {
    let path = inside(directory, &directory.join("MLproject"), file)?;
    let environment: CondaEnvironment = read_yaml(&path)?;
    let (mut python, mut requirements) = (None, Vec::new());
    for dependency in environment.dependencies {
        match dependency {
            CondaDependency::Pip { pip } => requirements.extend(pip),
            CondaDependency::Package(package) => {
                let (name, version) = package.split_once('=').unwrap_or((&package, ""));
                match name.trim_end_matches(['<', '>', '=', '!']).trim() {
                    "pip" => {}
                    "python" if version.is_empty() => {}
                    "python" => python = Some(version.trim_start_matches('=').trim_end_matches(".*").to_owned()),
                    _ => {
                        return Err(project(
                            &path,
                            format!("the conda package {package:?} can't be verified; lock it as a wheel"),
                        ));
                    }
                }
            }
        }
    }
    Ok((python, lock(directory, &path, &requirements)?))
}

/// The lock: one file that is named with `-r`, or requirements written out, which must be pinned and hashed just the same.
fn lock(directory: &Path, path: &Path, requirements: &[String]) -> Result<Lock, RunError> {
    let lines: Vec<&str> =
        requirements.iter().map(|line| line.trim()).filter(|line| *line != "--require-hashes").collect();
    if let [only] = lines.as_slice()
        && let Some(file) = only.strip_prefix("-r").or_else(|| only.strip_prefix("--requirement"))
    {
        let file = file.trim_start_matches('=').trim();
        let lock = inside(directory, path, file)?;
        if !lock.exists() {
            let detail = format!(
                "its lock {file} is missing; `uv pip compile --generate-hashes` or `pip-compile --generate-hashes` make one"
            );
            return Err(project(path, &detail));
        }
        return Ok(Lock::read(&lock)?);
    }
    let name = path.file_name().map_or_else(String::new, |name| name.display().to_string());
    Ok(Lock::parse(&name, lines.join("\n").as_bytes())?)
}

/// `[data.<name>]` of `sealyard.toml`.
#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Pin {
    pub(crate) path: TreePath,
    pub(crate) sha256: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    #[serde(default)]
    data: BTreeMap<String, Pin>,
}

/// The pinned data of the project; none without a `sealyard.toml`.
pub(crate) fn pins(directory: &Path) -> Result<BTreeMap<String, Pin>, RunError> {
    let path = directory.join("sealyard.toml");
    if fs::symlink_metadata(&path).is_err() {
        return Ok(BTreeMap::new());
    }
    let settings: Settings =
        toml::from_str(&read_text(&path)?).map_err(|error| project(&path, error.message().to_owned()))?;
    let mut variables = BTreeSet::new();
    for name in settings.data.keys() {
        let plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
        if name.is_empty() || name.len() > 64 || !plain {
            return Err(project(&path, format!("{name:?} is not a name for data: letters, digits, - and _")));
        }
        if !variables.insert(data_variable(name)) {
            return Err(project(&path, format!("two data sets would be {}", data_variable(name))));
        }
    }
    Ok(settings.data)
}

/// The variable that says where the command finds the data `name`.
pub(crate) fn data_variable(name: &str) -> String {
    format!("SEALYARD_DATA_{}", name.to_ascii_uppercase().replace('-', "_"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    fn read(files: &[(&str, &str)]) -> Result<Project, RunError> {
        let directory = tempfile::tempdir().unwrap();
        for (name, text) in files {
            fs::write(directory.path().join(name), text).unwrap();
        }
        Project::read(directory.path())
    }

    #[test]
    fn python_and_conda_environments_lead_to_their_lock() {
        let lock = format!("a==1 --hash={A}\n");
        let python = [
            (
                "MLproject",
                "name: x\npython_env: e.yaml\nentry_points:\n  main:\n    parameters:\n      a: float\n      b: {type: string, default: x}\n    command: python t.py {a} {b}\n",
            ),
            ("e.yaml", "python: \"3.11\"\nbuild_dependencies: [pip]\ndependencies:\n  - -r requirements.txt\n"),
            ("requirements.txt", &lock),
        ];
        let project = read(&python).unwrap();
        assert_eq!((project.name.as_str(), project.python.as_deref()), ("x", Some("3.11")));
        assert_eq!(project.lock.requirements().len(), 1);
        let conda = [
            ("mlproject", "conda_env: c.yaml\n"),
            (
                "c.yaml",
                "channels: [nodefaults]\ndependencies:\n- python=3.9\n- pip\n- pip:\n  - --require-hashes\n  - -r requirements.txt\n",
            ),
            ("requirements.txt", &lock),
        ];
        assert_eq!(read(&conda).unwrap().python.as_deref(), Some("3.9"));
    }

    #[test]
    fn a_script_is_an_entry_point() {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("-x {a}.py"), "").unwrap();
        let lock = Lock::parse("l", format!("a==1 --hash={A}").as_bytes()).unwrap();
        let project = Project { name: String::new(), entry_points: BTreeMap::new(), python: None, lock };
        let found = project.entry_point("-x {a}.py", directory.path()).unwrap();
        let (command, _) = crate::parameters::command(&found, &BTreeMap::new()).unwrap();
        assert_eq!(command, "python './-x {a}.py'");
        for name in ["main", "other.py", "../x.py", "/bin/sh"] {
            assert!(project.entry_point(name, directory.path()).is_none(), "{name}");
        }
    }

    #[test]
    fn pins_are_read_from_a_plain_file_and_say_one_thing() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("sealyard.toml");
        assert!(pins(directory.path()).unwrap().is_empty());
        let zeros = "0".repeat(64);
        let pin = |name: &str| format!("[data.{name}]\npath = \"x\"\nsha256 = \"{zeros}\"\n");
        fs::write(&path, pin("a-b") + &pin("A_b")).unwrap();
        assert!(pins(directory.path()).unwrap_err().to_string().contains("SEALYARD_DATA_A_B"));
        fs::write(&path, "\"\\u001b]0;x\" = 1\n").unwrap();
        assert!(!pins(directory.path()).unwrap_err().to_string().contains('\u{1b}'), "nothing for the terminal");
        fs::remove_file(&path).unwrap();
        std::os::unix::fs::symlink("/dev/null", &path).unwrap();
        assert!(pins(directory.path()).is_err(), "a link is not followed");
        fs::remove_file(&path).unwrap();
        rustix::fs::mknodat(rustix::fs::CWD, &path, rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
        assert!(pins(directory.path()).is_err(), "a pipe is not waited for");
    }

    #[test]
    fn what_can_not_be_verified_is_refused() {
        let with =
            |environment: &str| read(&[("MLproject", "python_env: e.yaml\n"), ("e.yaml", environment)]).unwrap_err();
        assert_eq!(with("dependencies: [pandas]").rule(), Some("environment.unpinned"));
        assert_eq!(with("dependencies: [pandas==1.0]").rule(), Some("environment.unhashed"));
        assert!(matches!(with("dependencies: [-r ../x.txt]"), RunError::Project { .. }));
        assert!(matches!(with("dependencies: &a [*a]"), RunError::Project { .. }));
        assert!(matches!(read(&[("MLproject", "name: x\n")]), Err(RunError::Project { .. })));
        assert!(matches!(read(&[("MLproject", "docker_env: {image: x}\n")]), Err(RunError::Project { .. })));
        let conda = [("MLproject", "conda_env: c.yaml\n"), ("c.yaml", "dependencies: [numpy=1.0]\n")];
        assert!(read(&conda).unwrap_err().to_string().contains("numpy"));
        assert!(matches!(read(&[]), Err(RunError::Project { .. })));
    }
}
