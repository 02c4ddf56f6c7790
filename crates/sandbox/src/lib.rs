//! The training sandbox: namespaces, seccomp, limits, egress.
//!
//! [`Sandbox::strict`] runs a command that sees a read-only system, the folders it is given and no network but one relayed
//! address. It holds wholly or not at all: where the host can't give a part, nothing runs and [`SandboxError::Missing`] names
//! it. [`Outcome::held`] says what really held, [`Outcome::egress`] each connection that was made or refused.
//!
//! Limits of it: memory is bounded for each process and each scratch folder, not for all together; when the host runs out, the
//! kernel takes it from the sandbox first. The relay leads to an address, whatever listens there, and carries what the command
//! likes. `sendmsg` with an address meets a network without a route, but is not in the log. The paths of the host's mounts can be
//! read in `/proc`, as can what `/usr` holds. What the command leaves in a writable bind is as hostile as the command.
//!
//! The launcher starts its own program again as the sandbox's init, so `main` begins with:
//!
//! ```no_run
//! if std::env::args_os().nth(1).is_some_and(|argument| argument == sealyard_sandbox::INIT_ARGUMENT) {
//!     sealyard_sandbox::init_main();
//! }
//! ```

mod error;
mod filter;
mod init;
mod outcome;
mod protocol;
mod spec;
mod supervisor;
#[allow(unsafe_code, reason = "the one module with system calls that Rust has no safe form of")]
mod sys;

pub use error::SandboxError;
pub use init::{INIT_ARGUMENT, init_main};
pub use outcome::{EgressEntry, Exit, Held, Mounted, Network, Outcome, Output};
pub use spec::{Bind, Limits, Relay, Spec};
pub use supervisor::{Sandbox, plain};
