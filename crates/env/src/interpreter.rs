use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use pep508_rs::{MarkerEnvironment, MarkerEnvironmentBuilder};
use sealyard_core::Digest;
use serde::Deserialize;

use crate::{EnvError, InterpreterRecord};

/// Asks an interpreter about itself; runs isolated, without `site`, so no installed package has a say.
const QUESTION: &str = r#"
import json, os, platform, struct, sys
def version(info):
    text = "%d.%d.%d" % info[:3]
    return text if info[3] == "final" else text + info[3][0] + str(info[4])
libc = ""
try:
    libc = os.confstr("CS_GNU_LIBC_VERSION") or ""
except (ValueError, OSError, AttributeError):
    pass
print(json.dumps({
    "executable": os.path.realpath(getattr(sys, "_base_executable", None) or sys.executable),
    "prefix": os.path.realpath(sys.base_prefix),
    "exec_prefix": os.path.realpath(sys.base_exec_prefix),
    "implementation_name": sys.implementation.name,
    "implementation_version": version(sys.implementation.version),
    "os_name": os.name,
    "platform_machine": platform.machine(),
    "platform_python_implementation": platform.python_implementation(),
    "platform_release": platform.release(),
    "platform_system": platform.system(),
    "platform_version": platform.version(),
    "python_full_version": platform.python_version(),
    "sys_platform": sys.platform,
    "libc": libc,
    "abiflags": getattr(sys, "abiflags", ""),
    "bits": struct.calcsize("P") * 8,
}))
"#;

/// A Python interpreter of this machine.
#[derive(Debug, Clone)]
pub struct Interpreter {
    executable: PathBuf,
    prefixes: Vec<PathBuf>,
    markers: MarkerEnvironment,
    record: InterpreterRecord,
    version: (u32, u32),
    glibc: Option<(u32, u32)>,
    abiflags: String,
}

#[derive(Debug, Deserialize)]
struct Answer {
    executable: PathBuf,
    prefix: PathBuf,
    exec_prefix: PathBuf,
    implementation_name: String,
    implementation_version: String,
    os_name: String,
    platform_machine: String,
    platform_python_implementation: String,
    platform_release: String,
    platform_system: String,
    platform_version: String,
    python_full_version: String,
    sys_platform: String,
    libc: String,
    abiflags: String,
    bits: u32,
}

impl Interpreter {
    /// The interpreter for `requested` (`3.11`, `3.11.7`, or none for any) on `PATH`.
    ///
    /// # Errors
    /// [`EnvError::Interpreter`] when there is none.
    pub fn find(requested: Option<&str>) -> Result<Self, EnvError> {
        if let Some(requested) = requested
            && !requested.split('.').all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()))
        {
            return Err(EnvError::Interpreter {
                detail: format!("{requested:?} is not a Python version such as 3.11"),
            });
        }
        let mut candidates = vec!["python3".to_owned(), "python".to_owned()];
        if let Some(requested) = requested {
            let minor: Vec<&str> = requested.split('.').take(2).collect();
            candidates.insert(0, format!("python{}", minor.join(".")));
        }
        let mut found = Vec::new();
        for candidate in candidates {
            match Self::probe(Path::new(&candidate)) {
                Ok(interpreter) if requested.is_none_or(|requested| interpreter.is(requested)) => {
                    return Ok(interpreter);
                }
                Ok(interpreter) => found.push(interpreter.record.version),
                Err(_) => {}
            }
        }
        let wanted = requested.map_or_else(|| "Python 3".to_owned(), |requested| format!("Python {requested}"));
        let found = if found.is_empty() { "no Python".to_owned() } else { found.join(", ") };
        Err(EnvError::Interpreter { detail: format!("{wanted} is needed, found {found}") })
    }

    /// Asks the interpreter at `path` (or of that name on `PATH`) about itself.
    ///
    /// # Errors
    /// [`EnvError::Interpreter`] when it does not run or is not a Python 3 that is understood.
    pub fn probe(path: &Path) -> Result<Self, EnvError> {
        let refuse = |detail: String| EnvError::Interpreter { detail: format!("{}: {detail}", path.display()) };
        let output = Command::new(path)
            .args(["-I", "-S", "-c", QUESTION])
            .stdin(Stdio::null())
            .output()
            .map_err(|error| refuse(format!("it can't be run: {error}")))?;
        let answer: Answer = serde_json::from_slice(&output.stdout)
            .map_err(|_| refuse("it does not answer as Python 3 does".to_owned()))?;
        Self::from_answer(answer).map_err(refuse)
    }

    fn from_answer(answer: Answer) -> Result<Self, String> {
        let mut numbers = answer.python_full_version.split('.').map(|part| part.parse::<u32>().ok());
        let version = match (numbers.next().flatten(), numbers.next().flatten()) {
            (Some(3), Some(minor)) => (3, minor),
            _ => return Err(format!("its version {:?} is not a Python 3", answer.python_full_version)),
        };
        if answer.sys_platform != "linux" || answer.bits != 64 {
            return Err(format!("the platform {} ({} bits) is not supported", answer.sys_platform, answer.bits));
        }
        let file = std::fs::File::open(&answer.executable).map_err(|error| error.to_string())?;
        let (digest, _) = Digest::of_reader(file).map_err(|error| error.to_string())?;
        let python_version = format!("{}.{}", version.0, version.1);
        let markers = MarkerEnvironment::try_from(MarkerEnvironmentBuilder {
            implementation_name: &answer.implementation_name,
            implementation_version: &answer.implementation_version,
            os_name: &answer.os_name,
            platform_machine: &answer.platform_machine,
            platform_python_implementation: &answer.platform_python_implementation,
            platform_release: &answer.platform_release,
            platform_system: &answer.platform_system,
            platform_version: &answer.platform_version,
            python_full_version: answer.python_full_version.trim_end_matches('+'),
            python_version: &python_version,
            sys_platform: &answer.sys_platform,
        })
        .map_err(|error| error.to_string())?;
        let glibc = answer.libc.strip_prefix("glibc ").and_then(|text| {
            let (major, minor) = text.split_once('.')?;
            Some((major.parse().ok()?, minor.split('.').next()?.parse().ok()?))
        });
        let record = InterpreterRecord {
            implementation: answer.implementation_name,
            version: answer.python_full_version,
            path: answer.executable.display().to_string(),
            digest,
            platform: format!("{}-{}", answer.sys_platform, answer.platform_machine),
        };
        let mut prefixes = vec![answer.prefix];
        if !prefixes.contains(&answer.exec_prefix) {
            prefixes.push(answer.exec_prefix);
        }
        let executable = answer.executable;
        Ok(Self { executable, prefixes, markers, record, version, glibc, abiflags: answer.abiflags })
    }

    /// This interpreter, if it is of the `requested` version.
    ///
    /// # Errors
    /// [`EnvError::Interpreter`] when it is another one.
    pub fn require(self, requested: Option<&str>) -> Result<Self, EnvError> {
        match requested {
            Some(requested) if !self.is(requested) => {
                let detail =
                    format!("Python {requested} is needed, {} is {}", self.executable.display(), self.record.version);
                Err(EnvError::Interpreter { detail })
            }
            _ => Ok(self),
        }
    }

    fn is(&self, requested: &str) -> bool {
        let rest = self.record.version.strip_prefix(requested);
        rest.is_some_and(|rest| rest.is_empty() || !rest.starts_with(|next: char| next.is_ascii_digit()))
    }

    /// The executable, links resolved.
    #[must_use]
    pub fn executable(&self) -> &Path {
        &self.executable
    }

    /// The folders that its standard library lies in.
    #[must_use]
    pub fn prefixes(&self) -> &[PathBuf] {
        &self.prefixes
    }

    /// What markers are evaluated against.
    #[must_use]
    pub const fn markers(&self) -> &MarkerEnvironment {
        &self.markers
    }

    /// What the provenance says of it.
    #[must_use]
    pub const fn record(&self) -> &InterpreterRecord {
        &self.record
    }

    /// `python3.11`, the folder name below `lib`.
    #[must_use]
    pub fn library_name(&self) -> String {
        format!("python{}.{}", self.version.0, self.version.1)
    }

    pub(crate) fn tags(&self) -> crate::tags::Tags {
        let machine = self.markers.platform_machine().to_owned();
        let cpython = self.markers.implementation_name() == "cpython";
        crate::tags::Tags::new(self.version.1, cpython, &self.abiflags, self.glibc, machine)
    }
}

#[cfg(test)]
pub(crate) fn test_markers(version: &str) -> MarkerEnvironment {
    MarkerEnvironment::try_from(MarkerEnvironmentBuilder {
        implementation_name: "cpython",
        implementation_version: version,
        os_name: "posix",
        platform_machine: "x86_64",
        platform_python_implementation: "CPython",
        platform_release: "6.1",
        platform_system: "Linux",
        platform_version: "1",
        python_full_version: version,
        python_version: version.rsplit_once('.').unwrap().0,
        sys_platform: "linux",
    })
    .unwrap()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_machines_own_python_is_found_and_hashed() {
        let interpreter = Interpreter::find(None).unwrap();
        let bytes = std::fs::read(interpreter.executable()).unwrap();
        assert_eq!(interpreter.record().digest, Digest::of(&bytes));
        let version = interpreter.record().version.clone();
        assert!(Interpreter::find(Some(&version)).is_ok());
        assert!(interpreter.clone().require(Some(&version)).is_ok());
        assert!(interpreter.require(Some("3.1")).is_err());
    }

    #[test]
    fn another_version_is_refused() {
        for requested in ["3.1", "2.7", "3.99", "3.x", ""] {
            let error = Interpreter::find(Some(requested)).unwrap_err();
            assert_eq!(error.rule(), Some("environment.interpreter"), "{requested}: {error}");
        }
    }

    #[test]
    fn a_program_that_is_no_python_is_refused() {
        assert!(matches!(Interpreter::probe(Path::new("/bin/true")), Err(EnvError::Interpreter { .. })));
    }
}
