use sealyard_core::{Digest, Timestamp};
use serde::{Deserialize, Serialize};

use crate::Limits;

/// What a run in the sandbox came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// How the command ended.
    pub exit: Exit,
    /// What really held while it ran.
    pub held: Held,
    /// Each connection that was made or refused.
    pub egress: Vec<EgressEntry>,
    /// Connections that no longer fitted into `egress`.
    pub egress_dropped: u64,
    /// What the command printed.
    pub output: Output,
}

/// How the command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Exit {
    /// It ended by itself with this code.
    Code(i32),
    /// A signal ended it.
    Signal(i32),
    /// It was killed because its wall-clock time was over.
    TimedOut,
}

impl Exit {
    /// Whether the command ended well.
    #[must_use]
    pub const fn is_success(self) -> bool {
        matches!(self, Self::Code(0))
    }
}

impl std::fmt::Display for Exit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Code(code) => write!(f, "exit code {code}"),
            Self::Signal(signal) => write!(f, "signal {signal}"),
            Self::TimedOut => f.write_str("its time was over"),
        }
    }
}

/// What really held in the sandbox; provenance carries it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// `strict`.
    pub mode: String,
    /// The kernel's release.
    pub kernel: String,
    /// Namespaces of its own.
    pub namespaces: Vec<String>,
    /// The user inside.
    pub inside_uid: u32,
    /// The user that it is on the host.
    pub host_uid: u32,
    /// Whether no capability was left.
    pub capabilities_dropped: bool,
    /// Whether no program could gain privileges.
    pub no_new_privileges: bool,
    /// SHA-256 of the seccomp program's bytes.
    pub seccomp: Digest,
    /// What was mounted, inside path and `ro` or `rw`.
    pub mounts: Vec<Mounted>,
    /// The bounds that held: those asked for, or the launcher's own where they are lower.
    pub limits: Limits,
    /// What enforced them: `rlimit`.
    pub limits_by: String,
    /// `none`, or `relay` with the port inside.
    pub network: Network,
}

/// One mount inside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mounted {
    /// The path inside.
    pub path: String,
    /// Whether the command could write there.
    pub writable: bool,
}

/// The network inside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Network {
    /// Nothing could be reached.
    None,
    /// One address, through the supervisor.
    Relay {
        /// The loopback port inside.
        port: u16,
        /// The address outside.
        target: String,
    },
}

/// A connection that was made or refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EgressEntry {
    /// When it began.
    pub when: Timestamp,
    /// Address and port.
    pub destination: String,
    /// Whether it was let through.
    pub allowed: bool,
    /// Bytes that left the sandbox.
    pub bytes_sent: u64,
    /// Bytes that came in.
    pub bytes_received: u64,
}

/// What the command printed on standard output and error, in the order in which it came, secrets masked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Output {
    /// SHA-256 of all of it.
    pub digest: Digest,
    /// How many bytes that was.
    pub size: u64,
    /// The text, or its last part when it is long.
    pub text: String,
    /// Whether `text` is only the last part.
    pub truncated: bool,
}
