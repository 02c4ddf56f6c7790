use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;

use sealyard_core::Redacted;
use serde::{Deserialize, Serialize};

/// What to run, and all that it may see.
#[derive(Clone)]
pub struct Spec {
    /// Program, as seen inside, and its arguments. Never put a secret here: every user of the host reads command lines.
    pub command: Vec<String>,
    /// The whole environment; nothing is inherited.
    pub environment: BTreeMap<String, String>,
    /// More of the environment, kept out of logs; the values are masked in the output too.
    pub secret_environment: BTreeMap<String, Redacted<String>>,
    /// Where the command starts, as seen inside.
    pub working_directory: PathBuf,
    /// Host files and directories to show inside, beside the read-only system.
    pub binds: Vec<Bind>,
    /// Small read-only files made for the run: absolute path inside, content.
    pub files: BTreeMap<PathBuf, Vec<u8>>,
    /// Bounds on time, memory and counts.
    pub limits: Limits,
    /// The one address that the command can reach, if any.
    pub relay: Option<Relay>,
}

impl fmt::Debug for Spec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Spec")
            .field("command", &self.command)
            .field("working_directory", &self.working_directory)
            .field("binds", &self.binds)
            .field("limits", &self.limits)
            .field("relay", &self.relay)
            .finish_non_exhaustive()
    }
}

impl Spec {
    /// A spec for `command` that sees nothing but the system, in `/tmp`, with default limits and no network.
    #[must_use]
    pub fn new(command: Vec<String>) -> Self {
        Self {
            command,
            environment: BTreeMap::new(),
            secret_environment: BTreeMap::new(),
            working_directory: PathBuf::from("/tmp"),
            binds: Vec::new(),
            files: BTreeMap::new(),
            limits: Limits::default(),
            relay: None,
        }
    }
}

/// A host file or directory shown inside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bind {
    /// Absolute path on the host.
    pub host: PathBuf,
    /// Absolute path inside.
    pub inside: PathBuf,
    /// Whether the command may write there. Such a directory is given to the sandbox's user when the caller is root, so it
    /// must not be a link; no set-id bit can be left in it.
    pub writable: bool,
}

impl Bind {
    /// Shows `host` at `inside`, read-only.
    pub fn read_only(host: impl Into<PathBuf>, inside: impl Into<PathBuf>) -> Self {
        Self { host: host.into(), inside: inside.into(), writable: false }
    }

    /// Shows `host` at `inside`, writable.
    pub fn writable(host: impl Into<PathBuf>, inside: impl Into<PathBuf>) -> Self {
        Self { host: host.into(), inside: inside.into(), writable: true }
    }
}

/// A loopback port inside that leads to one address outside, through the supervisor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relay {
    /// The port on 127.0.0.1 inside.
    pub port: u16,
    /// Host names that mean 127.0.0.1 inside, so that the server's certificate matches.
    pub names: Vec<String>,
    /// Where the supervisor connects to.
    pub target: SocketAddr,
}

/// Bounds on what the command uses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Wall-clock seconds until everything inside is killed.
    pub wall_seconds: u64,
    /// CPU seconds of one process.
    pub cpu_seconds: u64,
    /// Address space of one process, bytes.
    pub address_space: u64,
    /// Open files of one process.
    pub open_files: u64,
    /// Processes and threads in all.
    pub processes: u64,
    /// Size of one written file, bytes.
    pub file_size: u64,
    /// Size of `/tmp` and of `/dev/shm`, bytes each.
    pub scratch: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            wall_seconds: 3600,
            cpu_seconds: 4 * 3600,
            address_space: 64 << 30,
            open_files: 4096,
            processes: 2048,
            file_size: 4 << 30,
            scratch: 2 << 30,
        }
    }
}
