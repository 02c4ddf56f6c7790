use sealyard_core::ReadAt;
use sealyard_formats::sniff::is_graph_text;
use sealyard_scan::FactKind;

use super::json::{self, Keys};
use super::{graph_text, xml, yaml};
use crate::context::Context;

/// How much of a text is searched for the marks of a model.
const SEARCHED: u64 = 16 << 20;
/// Bytes that are read at once.
const CHUNK: usize = 1 << 16;

/// Text of no known meaning. Nothing reads a model from it.
pub(super) fn inspect(data: &dyn ReadAt, context: &mut Context) -> &'static str {
    let name = context.name().rsplit('/').next().unwrap_or_default();
    let kind = match name.rsplit_once('.').map(|(_, extension)| extension) {
        Some("yaml" | "yml") => "yaml",
        Some("csv") => "csv",
        Some("py") => "python",
        _ => "text",
    };
    inspect_as(kind, data, context)
}

/// Text of the given kind: it is text up to its end, and, whatever it begins with, has no marks of a model.
pub(super) fn inspect_as(kind: &'static str, data: &dyn ReadAt, context: &mut Context) -> &'static str {
    let Some(text) = context.head(data, SEARCHED) else { return kind };
    match lines(data) {
        Ok(Some(lines)) => context.fact(FactKind::Property, "lines", lines),
        Ok(None) => context.miss("it begins as text, but other bytes follow"),
        Err(error) => context.miss(format!("could not be read: {error}")),
    }
    model(&text, data, context).unwrap_or(kind)
}

/// Looks at a text that is a model, as far as its marks tell; gives the kind of it.
fn model(bytes: &[u8], data: &dyn ReadAt, context: &mut Context) -> Option<&'static str> {
    let text = String::from_utf8_lossy(bytes);
    let start = text.trim_start_matches(['\u{feff}', ' ', '\t', '\r', '\n']);
    let is_xml = ["<?xml", "<PMML", "<net "].iter().any(|mark| start.starts_with(mark));
    if is_xml || (start.starts_with('<') && text.contains("<!ENTITY")) || xml::is_whole(start) {
        return Some(xml::inspect(data, context));
    }
    if is_graph_text(start) {
        return Some(graph_text::inspect(data, context));
    }
    if !start.starts_with(['{', '[']) {
        return yaml::inspect_model(start, context);
    }
    json::inspect_model(start.as_bytes(), &Keys::of(start.as_bytes()), context)
}

/// How many lines there are; none if there are bytes that no text has.
fn lines(data: &dyn ReadAt) -> std::io::Result<Option<u64>> {
    let mut buffer = vec![0; CHUNK];
    let (mut place, mut lines, mut last) = (0, 0, b'\n');
    loop {
        let read = data.read_at(place, &mut buffer)?;
        let chunk = buffer.get(..read).unwrap_or_default();
        // Colours and pages of a terminal's output are no harm; NUL and the others have no place in any encoding.
        if chunk.iter().any(|byte| matches!(byte, 0..=6 | 0x0e..=0x1a | 0x1c..=0x1f)) {
            return Ok(None);
        }
        let Some(end) = chunk.last() else { return Ok(Some(lines + u64::from(last != b'\n'))) };
        last = *end;
        lines += chunk.iter().filter(|byte| **byte == b'\n').count() as u64;
        place += read as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_text_is_looked_at() {
        let look = |tail: &[u8]| {
            let mut context = Context::new("notes.txt");
            let text = [&b"line\n".repeat(100_000), tail].concat();
            assert_eq!(inspect(&text, &mut context), "text");
            (context.sink().not_assessed.len(), context.sink().facts.first().map(|fact| fact.value.clone()))
        };
        assert_eq!(look("caf\u{e9} \u{1b}[0m\nthe end".as_bytes()), (0, Some(100_002.into())));
        assert_eq!(look(b"\x00\x01"), (1, None));
    }
}
