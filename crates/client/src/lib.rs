//! The HTTP client that commands and the runner use.
