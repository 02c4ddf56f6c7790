use sealyard_core::ReadAt;
use sealyard_scan::FactKind;

use super::text;
use crate::context::Context;
use crate::rules::requirements::{self, Artifact};

/// Largest file of requirements.
const MAX_BYTES: u64 = 4 << 20;
/// Packages that are told.
const MAX_TOLD: usize = 200;

/// Whether the name is that of a file that pip is given.
pub(super) fn is_named(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default();
    name.ends_with(".txt") && ["requirements", "constraints"].iter().any(|start| name.starts_with(start))
}

/// Requirements of pip.
pub(super) fn inspect(data: &dyn ReadAt, context: &mut Context) -> &'static str {
    let kind = text::inspect_as("requirements", data, context);
    look(data, context);
    kind
}

/// Looks at the lines of pip in a file, whatever else it holds.
pub(super) fn look(data: &dyn ReadAt, context: &mut Context) {
    let Some(bytes) = context.read(data, MAX_BYTES) else { return };
    let text = String::from_utf8_lossy(&bytes);
    let artifact = Artifact { lines: lines(&text), channels: Vec::new() };
    for (_, line) in artifact.lines.iter().take(MAX_TOLD) {
        let end =
            line.find(|letter: char| !(letter.is_ascii_alphanumeric() || "-_.".contains(letter))).unwrap_or(line.len());
        let (name, version) = line.split_at(end);
        if !name.is_empty() && !name.starts_with('-') {
            let version = version.split(';').next().unwrap_or_default().trim();
            context.fact(FactKind::Dependency, name, version);
        }
    }
    requirements::run(&artifact, context.sink());
}

/// Lines with their numbers; one that ends with a backslash goes on in the next.
fn lines(text: &str) -> Vec<(u64, String)> {
    let mut lines: Vec<(u64, String)> = Vec::new();
    let mut goes_on = false;
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim();
        let whole = line.strip_suffix('\\').unwrap_or(line);
        match lines.last_mut() {
            Some((_, last)) if goes_on => last.push_str(whole),
            _ => lines.push((number, whole.to_owned())),
        }
        goes_on = line.ends_with('\\');
    }
    lines.retain(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    lines
}
