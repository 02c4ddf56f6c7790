use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose;
use sealyard_core::ReadAt;
use sealyard_formats::json_bounds::JsonBounds;
use sealyard_formats::sniff::{self, Format};
use sealyard_scan::FactKind;
use serde_json::{Value, json};

use crate::context::Context;
use crate::rules::safetensors::{self, Artifact};

/// Longest header that the reference implementation accepts.
const MAX_HEADER: u64 = 100_000_000;
/// The entry that is no tensor.
const METADATA: &str = "__metadata__";

/// Tensors and metadata by name.
type Header = BTreeMap<String, Value>;

/// Most that a header may hold: models have some thousand tensors.
const BOUNDS: JsonBounds = JsonBounds { objects: 1_000_000, values: 10_000_000 };
/// Longest text of the metadata that is decoded.
const MAX_DECODED: usize = 16 << 20;
/// Flaws of one file that are told.
const MAX_FLAWS: usize = 8;

/// Checks what the reference implementation checks: the header is JSON, and the tensors fill the rest of the file
/// without gaps, overlaps or a tail. Nothing in such a file is ever run.
pub(super) fn inspect(data: &dyn ReadAt, context: &mut Context) -> &'static str {
    let mut artifact = Artifact::default();
    match read(data, &mut artifact.flaws) {
        Ok(Some((header, body))) => {
            check(&header, body, &mut artifact.flaws);
            if context.step(header.len() as u64) {
                tell(&header, context);
                look_at_metadata(&header, &mut artifact, context);
            }
        }
        Ok(None) => {
            context.miss("the header of the safetensors file can't be read");
            // What is a pickle as well, and was looked at as one, is no such file.
            if context.is_pickle() {
                artifact.flaws.clear();
            }
        }
        Err(reason) => context.miss(reason),
    }
    artifact.flaws.truncate(MAX_FLAWS);
    safetensors::run(&artifact, context.sink());
    "safetensors"
}

/// A file that is named as one and is none, nor anything else.
pub(super) fn mismatch(context: &mut Context) {
    let flaws = vec!["its name is that of a safetensors file, but it has no header of one".to_owned()];
    safetensors::run(&Artifact { flaws, ..Artifact::default() }, context.sink());
}

/// The free metadata: texts, which may be more than they seem.
fn look_at_metadata(header: &BTreeMap<String, Value>, artifact: &mut Artifact, context: &mut Context) {
    let Some(metadata) = header.get(METADATA) else { return };
    let Some(entries) = metadata.as_object() else {
        return artifact.flaws.push("the metadata is no table".to_owned());
    };
    for (name, value) in entries {
        match value {
            Value::String(text) => artifact.metadata.push((name.clone(), text.clone())),
            _ => artifact.flaws.push(format!("the metadata {name:?} is no text")),
        }
    }
    for (name, text) in &artifact.metadata {
        let text: String = text.chars().filter(|letter| !letter.is_whitespace()).collect();
        if !(16..=MAX_DECODED).contains(&text.len()) {
            continue;
        }
        let engines = [&general_purpose::STANDARD, &general_purpose::STANDARD_NO_PAD, &general_purpose::URL_SAFE];
        let Some(bytes) = engines.iter().find_map(|engine| engine.decode(&text).ok()) else { continue };
        // Words are base64 too; what they decode to is nothing.
        if !matches!(sniff::sniff(&bytes), Ok(Format::Unknown | Format::Text) | Err(_)) {
            context.nest_expanded(&format!("{METADATA}.{name}"), &bytes);
        }
    }
}

/// Tells how many tensors and numbers of each type there are, and which library they are for.
fn tell(header: &BTreeMap<String, Value>, context: &mut Context) {
    let mut types: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
    for (name, tensor) in header {
        if name == METADATA {
            if let Some(library) = tensor.get("format").and_then(Value::as_str) {
                context.fact(FactKind::Framework, library, Value::Null);
            }
            continue;
        }
        let Some(dtype) = tensor.get("dtype").and_then(Value::as_str) else { continue };
        let shape = tensor.get("shape").and_then(Value::as_array).into_iter().flatten();
        let numbers = shape.fold(1_u64, |count, size| count.saturating_mul(size.as_u64().unwrap_or(0)));
        let (tensors, total) = types.entry(dtype).or_default();
        (*tensors, *total) = (*tensors + 1, total.saturating_add(numbers));
    }
    context.fact(FactKind::Format, "safetensors", Value::Null);
    for (dtype, (tensors, numbers)) in types {
        context.fact(FactKind::Tensors, dtype, json!({"tensors": tensors, "numbers": numbers}));
    }
}

/// The header, and how many bytes follow it; none, and why, if it is no table.
fn read(data: &dyn ReadAt, flaws: &mut Vec<String>) -> Result<Option<(Header, u64)>, String> {
    let failed = |error: std::io::Error| format!("could not be read: {error}");
    let mut length = [0; 8];
    data.read_exact_at(0, &mut length).map_err(failed)?;
    let length = u64::from_le_bytes(length);
    let body = data.size().saturating_sub(8).checked_sub(length);
    let (Some(body), true) = (body, length <= MAX_HEADER) else {
        flaws.push("the header of the safetensors file is too long".to_owned());
        return Ok(None);
    };
    let mut header = vec![0; usize::try_from(length).map_err(|error| error.to_string())?];
    data.read_exact_at(8, &mut header).map_err(failed)?;
    if !BOUNDS.hold(&header) {
        return Err("the header of the safetensors file holds too much".to_owned());
    }
    match serde_json::from_slice::<Entries>(&header) {
        Ok(entries) => {
            flaws.extend(
                entries.doubles.into_iter().take(MAX_FLAWS).map(|name| format!("the name {name:?} occurs twice")),
            );
            Ok(Some((entries.map, body)))
        }
        Err(error) => {
            flaws.push(format!("the header of the safetensors file is no table of tensors: {error}"));
            Ok(None)
        }
    }
}

/// What is wrong with the places of the tensors.
fn check(header: &BTreeMap<String, Value>, body: u64, flaws: &mut Vec<String>) {
    let mut ranges = Vec::new();
    for (name, tensor) in header.iter().filter(|(name, _)| *name != METADATA) {
        let offsets = tensor.get("data_offsets").and_then(Value::as_array).map(Vec::as_slice);
        match offsets {
            Some([start, end]) if let (Some(start), Some(end)) = (start.as_u64(), end.as_u64()) => {
                ranges.push((start, end));
                if end < start || Some(end - start) != bytes(tensor) {
                    flaws.push(format!("the tensor {name:?} does not have the size that its shape says"));
                }
            }
            _ => flaws.push(format!("the tensor {name:?} has no place in the file")),
        }
    }
    ranges.sort_unstable();
    let mut place = 0;
    for (start, end) in ranges {
        if start != place || end < start {
            flaws.push("tensors of the safetensors file overlap or leave gaps".to_owned());
            break;
        }
        place = end;
    }
    if place != body {
        flaws.push("the tensors do not fill the safetensors file".to_owned());
    }
}

/// How many bytes a tensor takes by its type and shape.
fn bytes(tensor: &Value) -> Option<u64> {
    let bits = match tensor.get("dtype")?.as_str()? {
        "F4" => 4,
        "F6_E2M3" | "F6_E3M2" => 6,
        "BOOL" | "U8" | "I8" | "F8_E5M2" | "F8_E4M3" | "F8_E8M0" | "F8_E4M3FNUZ" | "F8_E5M2FNUZ" => 8,
        "I16" | "U16" | "F16" | "BF16" => 16,
        "I32" | "U32" | "F32" => 32,
        "I64" | "U64" | "F64" | "C64" => 64,
        _ => return None,
    };
    let mut numbers = 1_u64;
    for size in tensor.get("shape")?.as_array()? {
        numbers = numbers.checked_mul(size.as_u64()?)?;
    }
    Some(numbers.checked_mul(bits)?.div_ceil(8))
}

/// A JSON object, and which of its keys occur again: readers disagree on which of two counts.
struct Entries {
    map: BTreeMap<String, Value>,
    doubles: Vec<String>,
}

impl<'de> serde::Deserialize<'de> for Entries {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Entries;
            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("an object")
            }
            fn visit_map<A: serde::de::MapAccess<'de>>(self, mut access: A) -> Result<Entries, A::Error> {
                let (mut map, mut doubles) = (BTreeMap::new(), Vec::new());
                while let Some((name, value)) = access.next_entry::<String, Value>()? {
                    if map.insert(name.clone(), value).is_some() {
                        doubles.push(name);
                    }
                }
                Ok(Entries { map, doubles })
            }
        }
        deserializer.deserialize_map(Visitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(header: &str, body: usize) -> Vec<u8> {
        let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
        bytes.extend(header.as_bytes());
        bytes.resize(bytes.len() + body, 0);
        bytes
    }

    fn flaws(bytes: &[u8]) -> (usize, usize) {
        let mut context = Context::new("a");
        inspect(&bytes, &mut context);
        (context.sink().findings.len(), context.sink().not_assessed.len())
    }

    #[test]
    fn only_a_full_table_passes() {
        let tensor = |from, to| format!(r#"{{"dtype":"F32","shape":[1],"data_offsets":[{from},{to}]}}"#);
        let good = format!(r#"{{"__metadata__":{{"a":"b"}},"x":{},"y":{}}}"#, tensor(0, 4), tensor(4, 8));
        assert_eq!(flaws(&file(&good, 8)), (0, 0));
        for (header, body) in [
            (good.clone(), 9),
            (good.clone(), 4),
            (format!(r#"{{"x":{},"y":{}}}"#, tensor(0, 4), tensor(0, 4)), 4),
            (format!(r#"{{"x":{},"y":{}}}"#, tensor(0, 4), tensor(8, 12)), 12),
            (format!(r#"{{"x":{},"x":{}}}"#, tensor(0, 4), tensor(0, 4)), 4),
            (format!(r#"{{"x":{}}}"#, tensor(0, 8)), 8),
            (good.replace("F32", "F7"), 8),
            (good.replace("[1]", "[4611686018427387905]"), 8),
            (good.replace(r#""b""#, "1"), 8),
            (r#"{"x":{}}"#.to_owned(), 0),
            ("{".to_owned(), 0),
        ] {
            assert!(flaws(&file(&header, body)).0 > 0, "{header}");
        }
        assert!(flaws(&u64::MAX.to_le_bytes()).0 > 0);
    }

    #[test]
    fn pickles_and_code_in_the_metadata_are_found() {
        let look = |text: &str| {
            let mut context = Context::new("a.safetensors");
            let metadata = json!({"__metadata__": {"note": text}}).to_string();
            inspect(&file(&metadata, 0), &mut context);
            context.sink().findings.iter().map(|finding| finding.rule.clone()).collect::<Vec<_>>()
        };
        let pickle = general_purpose::STANDARD.encode(b"\x80\x04\x8c\x05posix\x8c\x06system\x93\x8c\x02id\x85R.");
        assert_eq!(look(&pickle), ["pickle-dangerous-global"]);
        assert_eq!(look("bash -c 'id'"), ["safetensors-metadata"]);
        assert_eq!(look("__import__('os').system('id')"), ["safetensors-metadata"]);
        assert_eq!(look(&general_purpose::STANDARD.encode("only words, as a note may be")), [""; 0]);
        assert_eq!(look(r#"{"sshs_model_hash": "0123456789abcdef", "ss_tag_frequency": {}}"#), [""; 0]);
    }

    #[test]
    fn what_it_holds_is_told() {
        let tensor = r#"{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]}"#;
        let mut context = Context::new("a");
        inspect(&file(&format!(r#"{{"__metadata__":{{"format":"pt"}},"x":{tensor}}}"#), 24), &mut context);
        let facts: Vec<_> = context.sink().facts.iter().map(|fact| (fact.name.as_str(), fact.value.clone())).collect();
        let expected =
            [("pt", Value::Null), ("safetensors", Value::Null), ("F32", json!({"tensors": 1, "numbers": 6}))];
        assert_eq!(facts, expected);
    }
}
