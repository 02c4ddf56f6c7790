//! The `sealyard` command.
fn main() {}
