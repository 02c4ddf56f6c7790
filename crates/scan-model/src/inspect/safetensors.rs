use std::collections::BTreeMap;

use sealyard_core::ReadAt;
use sealyard_scan::FactKind;
use serde_json::{Value, json};

use crate::context::Context;

/// Longest header that the reference implementation accepts.
const MAX_HEADER: u64 = 100_000_000;
/// The entry that is no tensor.
const METADATA: &str = "__metadata__";

/// Checks what the reference implementation checks: the header is JSON, and the tensors fill the rest of the file
/// without gaps, overlaps or a tail. Nothing in such a file is ever run.
pub(super) fn inspect(data: &dyn ReadAt, context: &mut Context) -> &'static str {
    match check(data) {
        Ok(header) => {
            if context.step(header.len() as u64) {
                tell(&header, context);
            }
        }
        Err(reason) => context.miss(reason),
    }
    "safetensors"
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

fn check(data: &dyn ReadAt) -> Result<BTreeMap<String, Value>, String> {
    let read = |error: std::io::Error| format!("could not be read: {error}");
    let mut length = [0; 8];
    data.read_exact_at(0, &mut length).map_err(read)?;
    let length = u64::from_le_bytes(length);
    let body = data.size().saturating_sub(8).checked_sub(length);
    let (Some(body), true) = (body, length <= MAX_HEADER) else {
        return Err("the header of the safetensors file is too long".to_owned());
    };
    let mut header = vec![0; usize::try_from(length).map_err(|error| error.to_string())?];
    data.read_exact_at(8, &mut header).map_err(read)?;
    let header: BTreeMap<String, Value> = serde_json::from_slice::<Entries>(&header)
        .map_err(|error| format!("the header of the safetensors file is no table of tensors: {error}"))?
        .0;
    let mut ranges = Vec::new();
    for (name, tensor) in header.iter().filter(|(name, _)| *name != METADATA) {
        let offsets = tensor.get("data_offsets").and_then(Value::as_array).map(Vec::as_slice);
        match offsets {
            Some([start, end]) if let (Some(start), Some(end)) = (start.as_u64(), end.as_u64()) => {
                ranges.push((start, end))
            }
            _ => return Err(format!("the tensor {name:?} has no place in the file")),
        }
    }
    ranges.sort_unstable();
    let mut place = 0;
    for (start, end) in ranges {
        if start != place || end < start {
            return Err("tensors of the safetensors file overlap or leave gaps".to_owned());
        }
        place = end;
    }
    if place == body { Ok(header) } else { Err("the tensors do not fill the safetensors file".to_owned()) }
}

/// A JSON object whose keys are all different: readers disagree on which of two counts.
struct Entries(BTreeMap<String, Value>);

impl<'de> serde::Deserialize<'de> for Entries {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Entries;
            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("an object")
            }
            fn visit_map<A: serde::de::MapAccess<'de>>(self, mut access: A) -> Result<Entries, A::Error> {
                let mut entries = BTreeMap::new();
                while let Some((name, value)) = access.next_entry::<String, Value>()? {
                    if entries.insert(name, value).is_some() {
                        return Err(serde::de::Error::custom("a name occurs twice"));
                    }
                }
                Ok(Entries(entries))
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

    #[test]
    fn only_a_full_table_passes() {
        let tensor = |from, to| format!(r#"{{"dtype":"F32","shape":[1],"data_offsets":[{from},{to}]}}"#);
        let good = format!(r#"{{"__metadata__":{{"a":"b"}},"x":{},"y":{}}}"#, tensor(0, 4), tensor(4, 8));
        assert_eq!(check(&file(&good, 8)).unwrap().len(), 3);
        for (header, body) in [
            (good.clone(), 9),
            (good, 4),
            (format!(r#"{{"x":{},"y":{}}}"#, tensor(0, 4), tensor(2, 8)), 8),
            (format!(r#"{{"x":{},"y":{}}}"#, tensor(0, 4), tensor(6, 8)), 8),
            (format!(r#"{{"x":{},"x":{}}}"#, tensor(0, 4), tensor(4, 8)), 8),
            (r#"{"x":{}}"#.to_owned(), 0),
            ("{".to_owned(), 0),
        ] {
            assert!(check(&file(&header, body)).is_err(), "{header}");
        }
        assert!(check(&u64::MAX.to_le_bytes().to_vec()).is_err());
    }

    #[test]
    fn what_it_holds_is_told() {
        let tensor = r#"{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]}"#;
        let mut context = Context::new("a");
        inspect(&file(&format!(r#"{{"__metadata__":{{"format":"pt"}},"x":{tensor}}}"#), 24), &mut context);
        let facts: Vec<_> = context.sink().facts.iter().map(|fact| (fact.name.as_str(), fact.value.clone())).collect();
        let expected = [
            ("pt", Value::Null),
            ("safetensors", Value::Null),
            ("F32", json!({"tensors": 1, "numbers": 6})),
        ];
        assert_eq!(facts, expected);
    }
}
