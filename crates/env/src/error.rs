use std::io;
use std::path::{Path, PathBuf};

use sealyard_core::Digest;

/// An environment can't be had from this lock.
///
/// Each refusal has a stable rule name, see [`EnvError::rule`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EnvError {
    /// A line of the lock that is not a pinned requirement in a form that is understood.
    #[error("{file}:{line}: {detail}")]
    Lock {
        /// The lock's name.
        file: String,
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        detail: String,
    },
    /// A requirement without an exact version.
    #[error("{file}:{line}: {requirement} is not pinned to one version [environment.unpinned]")]
    Unpinned {
        /// The lock's name.
        file: String,
        /// The line, from 1.
        line: usize,
        /// The requirement.
        requirement: String,
    },
    /// A requirement without a SHA-256 hash.
    #[error("{file}:{line}: {requirement} has no sha256 hash [environment.unhashed]")]
    Unhashed {
        /// The lock's name.
        file: String,
        /// The line, from 1.
        line: usize,
        /// The requirement.
        requirement: String,
    },
    /// The bytes of a wheel are not those of the lock.
    #[error("the wheel {wheel} is not the locked one: {detail} [environment.wheel-digest]")]
    WheelDigest {
        /// The wheel's file name, or the requirement when pip refused it before it had one.
        wheel: String,
        /// Which digests differ.
        detail: String,
    },
    /// There is no wheel for this interpreter among the locked files.
    #[error(
        "{requirement} has no wheel for this interpreter among the locked files; source archives run code when they are built [environment.sdist]"
    )]
    Sdist {
        /// The requirement.
        requirement: String,
    },
    /// No interpreter as asked for.
    #[error("{detail} [environment.interpreter]")]
    Interpreter {
        /// What is wrong.
        detail: String,
    },
    /// pip could not fetch.
    #[error("pip could not fetch the locked wheels: {detail}")]
    Fetch {
        /// pip's last lines.
        detail: String,
    },
    /// A wheel that is not built as wheels are.
    #[error("the wheel {wheel} can't be installed: {detail} [environment.wheel]")]
    Wheel {
        /// The wheel's file name.
        wheel: String,
        /// What is wrong with it.
        detail: String,
    },
    /// The byte-code compiler failed.
    #[error("the modules can't be compiled: {detail}")]
    Compile {
        /// Its last lines.
        detail: String,
    },
    /// The disk said no.
    #[error("could not {action} {path}")]
    Io {
        /// What was done.
        action: &'static str,
        /// To what.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
}

impl EnvError {
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_path_buf();
        move |source| Self::Io { action, path, source }
    }

    pub(crate) fn digest(wheel: &str, found: Digest) -> Self {
        Self::WheelDigest {
            wheel: wheel.to_owned(),
            detail: format!("its digest is {found}, which the lock does not list"),
        }
    }

    /// The rule that refused, or none when the work itself could not be done.
    #[must_use]
    pub const fn rule(&self) -> Option<&'static str> {
        match self {
            Self::Unpinned { .. } => Some("environment.unpinned"),
            Self::Unhashed { .. } => Some("environment.unhashed"),
            Self::WheelDigest { .. } => Some("environment.wheel-digest"),
            Self::Sdist { .. } => Some("environment.sdist"),
            Self::Interpreter { .. } => Some("environment.interpreter"),
            Self::Wheel { .. } => Some("environment.wheel"),
            _ => None,
        }
    }

    /// What the user can do about it.
    #[must_use]
    pub const fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Unpinned { .. } | Self::Unhashed { .. } | Self::Lock { .. } => {
                Some("make the lock with `pip-compile --generate-hashes` or `uv pip compile --generate-hashes`")
            }
            Self::WheelDigest { .. } => Some(
                "the file was changed after it was locked: find out by whom, then delete it from the cache and run again",
            ),
            Self::Sdist { .. } => {
                Some("lock a version that has a wheel for this interpreter, or use another interpreter")
            }
            Self::Interpreter { .. } => Some("install that Python, or change `python` in python_env.yaml"),
            Self::Fetch { .. } => Some("see whether `python3 -m pip download` reaches your package index"),
            _ => None,
        }
    }
}
