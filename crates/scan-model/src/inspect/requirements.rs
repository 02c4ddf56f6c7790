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

/// Lines with their numbers, as pip reads them: it ends lines where Python does, goes on behind a backslash, and leaves
/// comments out.
fn lines(text: &str) -> Vec<(u64, String)> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut lines: Vec<(u64, String)> = Vec::new();
    let mut goes_on = false;
    for (number, line) in split(text) {
        let is_comment = line.trim_start().starts_with('#');
        let is_continued = line.ends_with('\\') && !is_comment;
        let whole = if is_continued { line.trim_matches('\\') } else { line };
        // What goes on in a comment ends there.
        let whole = if is_comment { "" } else { whole };
        match lines.last_mut() {
            Some((_, last)) if goes_on => last.push_str(whole),
            _ => lines.push((number, whole.to_owned())),
        }
        goes_on = is_continued;
    }
    for (_, line) in &mut lines {
        *line = without_comment(line).trim().to_owned();
    }
    lines.retain(|(_, line)| !line.is_empty());
    lines
}

/// A comment begins at a `#` at the start or behind a space.
fn without_comment(line: &str) -> &str {
    let is_start = |place: &usize| {
        line.get(..*place).is_none_or(|before| before.is_empty() || before.ends_with(char::is_whitespace))
    };
    let found = line.match_indices('#').map(|(place, _)| place).find(is_start);
    found.and_then(|place| line.get(..place)).unwrap_or(line)
}

/// The lines of a text as `str.splitlines` of Python gives them; the number is that of the line in an editor.
fn split(text: &str) -> Vec<(u64, &str)> {
    const ENDS: [char; 10] =
        ['\n', '\r', '\u{b}', '\u{c}', '\u{1c}', '\u{1d}', '\u{1e}', '\u{85}', '\u{2028}', '\u{2029}'];
    let (mut lines, mut rest, mut number) = (Vec::new(), text, 1);
    while !rest.is_empty() {
        let end = rest.find(ENDS).unwrap_or(rest.len());
        let (line, behind) = rest.split_at(end);
        lines.push((number, line));
        let mut letters = behind.chars();
        if behind.starts_with("\r\n") {
            letters.next();
        }
        number += u64::from(letters.next() == Some('\n'));
        rest = letters.as_str();
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_those_of_pip() {
        let read = |text: &str| lines(text).into_iter().map(|(_, line)| line).collect::<Vec<_>>();
        for end in
            ["\n", "\r", "\r\n", "\u{b}", "\u{c}", "\u{1c}", "\u{1d}", "\u{1e}", "\u{85}", "\u{2028}", "\u{2029}"]
        {
            assert_eq!(read(&format!("# a{end}-i http://x{end}b")), ["-i http://x", "b"], "{end:?}");
        }
        assert_eq!(read("# a\\\n-i http://x"), ["-i http://x"]);
        assert_eq!(read("-i \\\nhttp://x"), ["-i http://x"]);
        assert_eq!(read("-i \\\n  # a\\\nhttp://x"), ["-i", "http://x"]);
        assert_eq!(read("a # b\nx#egg"), ["a", "x#egg"]);
        assert_eq!(lines("a\r\n\x0cb\nc"), [(1, "a".into()), (2, "b".into()), (3, "c".into())]);
    }
}
