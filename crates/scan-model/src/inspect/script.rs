use sealyard_core::ReadAt;

use super::{python, text};
use crate::context::Context;
use crate::rules::script::{self, Artifact};

/// Largest script.
const MAX_BYTES: u64 = 4 << 20;

/// Whether the name is that of a script.
pub(super) fn is_named(path: &str) -> bool {
    let path = path.to_ascii_lowercase();
    [".sh", ".bash", ".bat", ".cmd", ".ps1"].iter().any(|ending| path.ends_with(ending))
}

/// Text that names the program to run it by.
pub(super) fn inspect(data: &dyn ReadAt, context: &mut Context) -> &'static str {
    let kind = text::inspect_as("script", data, context);
    let Some(bytes) = context.read(data, MAX_BYTES) else { return kind };
    let text = String::from_utf8_lossy(&bytes);
    if text.lines().next().is_some_and(|first| first.contains("python")) {
        python::source(&text, false, context);
        return "python";
    }
    shell(&text, context);
    kind
}

/// Looks at lines of a shell.
pub(super) fn shell(text: &str, context: &mut Context) {
    if context.step(text.len() as u64 / 4 + 1) {
        script::run(&Artifact::of(text), context.sink());
    }
}
