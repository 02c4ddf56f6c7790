use sealyard_core::ReadAt;

use super::{executable, python, text};
use crate::context::Context;
use crate::rules::executable::{self as rules, Artifact};

/// Largest site file.
const MAX_BYTES: u64 = 4 << 20;

/// Whether Python's `site` would read the file from a directory of packages.
pub(super) fn is_named(path: &str) -> bool {
    path.to_ascii_lowercase().ends_with(".pth")
}

/// A site file of Python, whose lines that begin with `import` are run whenever Python starts. It has the name of
/// PyTorch's files, and is none.
pub(super) fn inspect(data: &dyn ReadAt, context: &mut Context) -> &'static str {
    let kind = text::inspect_as("site-file", data, context);
    let Some(bytes) = context.read(data, MAX_BYTES) else { return kind };
    let text = String::from_utf8_lossy(&bytes);
    let runs = |line: &&str| line.starts_with("import ") || line.starts_with("import\t");
    if text.lines().any(|line| runs(&line)) {
        let name = context.name().to_owned();
        let what = Artifact { kind: "a site file that runs code when Python starts", name: &name, is_model: true };
        rules::run(&what, context.sink());
        for line in text.lines().filter(runs).take(100) {
            python::source(line, false, context);
        }
    } else if is_named(context.name()) {
        executable::script(context.format(), context);
        context.miss("its name is that of a model file, but its content is text");
    }
    kind
}
