//! The training sandbox: namespaces, seccomp, limits, egress.
mod error;
mod outcome;
mod spec;

pub use error::SandboxError;
pub use outcome::{EgressEntry, Exit, Held, Mounted, Network, Outcome, Output};
pub use spec::{Bind, Limits, Relay, Spec};
