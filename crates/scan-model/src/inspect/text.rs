use sealyard_core::ReadAt;
use sealyard_formats::sniff::is_graph_text;
use sealyard_scan::FactKind;

use super::json::{self, Keys};
use super::{buried, caffe, graph_text, readme, xml, yaml};
use crate::context::Context;

/// How much of a text is searched for the marks of a model; behind that, only whether there are some.
const SEARCHED: u64 = 64 << 20;
/// Marks that are looked for behind it.
const MARKS: &[&[u8]] = &[b"!!python/", b"tag:yaml.org,2002:python/", b"class_name", b"auto_map"];
/// The longest of them.
const LONGEST: usize = 25;
/// Bytes that are read at once.
const CHUNK: usize = 1 << 16;

/// Text of no known meaning. Nothing reads a model from it.
pub(super) fn inspect(data: &dyn ReadAt, context: &mut Context) -> &'static str {
    let name = context.name().rsplit('/').next().unwrap_or_default();
    let is_card = readme::is_named(name);
    let kind = match name.rsplit_once('.').map(|(_, extension)| extension) {
        Some("yaml" | "yml") => "yaml",
        Some("csv") => "csv",
        Some("py") => "python",
        _ => "text",
    };
    if is_card {
        readme::inspect(data, context);
    }
    inspect_as(kind, data, context)
}

/// Text of the given kind: it is text up to its end, and, whatever it begins with, has no marks of a model.
pub(super) fn inspect_as(kind: &'static str, data: &dyn ReadAt, context: &mut Context) -> &'static str {
    let Some(text) = context.head(data, SEARCHED) else { return kind };
    match lines(data) {
        Ok(Some((lines, is_marked))) => {
            context.fact(FactKind::Property, "lines", lines);
            if is_marked {
                context.miss("it is too long to be searched, and has marks of a model far behind");
            }
        }
        Ok(None) => context.miss("it begins as text, but other bytes follow"),
        Err(error) => context.miss(format!("could not be read: {error}")),
    }
    buried::within(&text, 0, context);
    model(kind, &text, data, context).unwrap_or(kind)
}

/// Looks at a text that is a model, as far as its marks tell; gives the kind of it.
fn model(kind: &str, bytes: &[u8], data: &dyn ReadAt, context: &mut Context) -> Option<&'static str> {
    let text = String::from_utf8_lossy(bytes);
    let start = text.trim_start_matches(['\u{feff}', ' ', '\t', '\r', '\n']);
    let is_xml = ["<?xml", "<PMML", "<net "].iter().any(|mark| start.starts_with(mark));
    if is_xml || (start.starts_with('<') && text.contains("<!ENTITY")) || xml::is_whole(start) {
        return Some(xml::inspect(data, context));
    }
    if is_graph_text(start) {
        return Some(graph_text::inspect(data, context));
    }
    if caffe::is_net(start) {
        return Some(caffe::inspect(start, context));
    }
    if !start.starts_with(['{', '[']) {
        // Fields of classes in a source look like keys.
        return yaml::inspect_model(start, !matches!(kind, "python" | "jinja" | "script"), context);
    }
    yaml::inspect_tags(start, context);
    let keys = Keys::of(start.as_bytes());
    for text in keys.encoded() {
        buried::value(text.as_bytes(), 0, context);
    }
    json::inspect_model(start.as_bytes(), &keys, context)
}

/// How many lines there are, and whether marks of a model are behind what is searched; none if there are bytes that no text has.
fn lines(data: &dyn ReadAt) -> std::io::Result<Option<(u64, bool)>> {
    let mut buffer = vec![0; CHUNK];
    let (mut place, mut lines, mut last, mut is_marked) = (0, 0, b'\n', false);
    loop {
        let read = data.read_at(place, &mut buffer)?;
        let chunk = buffer.get(..read).unwrap_or_default();
        // Colours and pages of a terminal's output are no harm; NUL and the others have no place in any encoding.
        if chunk.iter().any(|byte| matches!(byte, 0..=6 | 0x0e..=0x1a | 0x1c..=0x1f)) {
            return Ok(None);
        }
        let Some(end) = chunk.last() else { return Ok(Some((lines + u64::from(last != b'\n'), is_marked))) };
        last = *end;
        lines += chunk.iter().filter(|byte| **byte == b'\n').count() as u64;
        place += read as u64;
        if place > SEARCHED && !is_marked {
            // With the end of the chunk before, where a mark may begin.
            let mut both = vec![0; CHUNK + LONGEST];
            let start = place.saturating_sub((read + LONGEST) as u64);
            let count = data.read_at(start, &mut both)?;
            let both = both.get(..count).unwrap_or_default();
            is_marked = MARKS.iter().any(|mark| both.windows(mark.len()).any(|window| window == *mark));
        }
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

    #[test]
    fn marks_far_behind_are_told() {
        let look = |start: &str, tail: &str| {
            let mut context = Context::new("notes.yaml");
            let mut text = start.as_bytes().to_vec();
            text.resize(SEARCHED as usize + (3 << 20), b' ');
            text.extend(tail.as_bytes());
            inspect(&text, &mut context);
            context.sink().not_assessed.len()
        };
        assert_eq!(look("a: 1\n", "\nb: 2\n"), 0);
        assert_eq!(look("a: 1\n", "\nb: !!python/object/apply:os.system [id]\n"), 1);
        assert_eq!(look("{\"a\": 1,", "\"auto_map\": {}}"), 1);
    }
}
