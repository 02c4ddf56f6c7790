//! The training sandbox: namespaces, seccomp, limits, egress.
