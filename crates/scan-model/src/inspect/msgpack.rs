use std::collections::BTreeMap;
use std::ops::Range;

use sealyard_core::ReadAt;
use sealyard_formats::Section;
use sealyard_formats::msgpack::{Message, MessageError};
use sealyard_formats::sniff::{self, Format};
use sealyard_scan::FactKind;
use serde_json::{Value, json};

use super::python_objects::{self, PythonObject};
use crate::context::Context;
use crate::rules;
use crate::rules::lengths::{self, Artifact};
use crate::rules::msgpack;

/// Most values that are walked over.
const MAX_VALUES: u64 = 20_000_000;
/// Arrays whose types are told.
const MAX_TOLD: usize = 10_000;

/// MessagePack, as Flax writes it.
pub(super) fn inspect(data: &dyn ReadAt, context: &mut Context) -> &'static str {
    let message = match Message::read(data, MAX_VALUES.min(context.budget().steps)) {
        Ok(message) => message,
        Err(MessageError::Lie(offset, what)) => {
            lie(offset, what, context);
            context.miss(format!("the MessagePack file can't be read: at {offset:#x}: {what}"));
            return "msgpack";
        }
        Err(error) => {
            context.miss(format!("the MessagePack file can't be read: {error}"));
            return "msgpack";
        }
    };
    if !context.step(message.values) {
        return "msgpack";
    }
    if message.end < data.size() {
        lie(message.end, "bytes follow its end", context);
    }
    msgpack::run(&message, context.sink());
    let objects = message.python.iter().filter(|(_, tag, _)| python_objects::is_tag(tag));
    let objects =
        objects.map(|(offset, tag, name)| PythonObject { tag: tag.clone(), name: name.clone(), offset: *offset });
    rules::python_objects::run(&objects.collect(), context.sink());
    tell(&message, data, context);
    for range in &message.bytes {
        look_into(range, data, context);
    }
    "msgpack"
}

fn lie(offset: u64, what: &str, context: &mut Context) {
    lengths::run(&Artifact { form: "MessagePack", flaws: vec![(offset, what.to_owned())] }, context.sink());
}

/// Values of bytes are numbers, unless they are files of their own.
fn look_into(range: &Range<u64>, data: &dyn ReadAt, context: &mut Context) {
    let section = Section::new(data, range.clone());
    let is_file = matches!(
        sniff::signature(&section),
        Ok(Format::Pickle | Format::Zip | Format::Elf | Format::Pe | Format::MachO | Format::Script | Format::Hdf5)
    );
    if is_file && section.size() > 8 {
        context.nest(&format!("bytes@{:#x}", range.start), &section);
    }
}

fn tell(message: &Message, data: &dyn ReadAt, context: &mut Context) {
    context.fact(FactKind::Format, "msgpack", Value::Null);
    if message.extensions.contains_key(&1) {
        context.fact(FactKind::Framework, "flax", Value::Null);
    }
    for key in &message.keys {
        context.fact(FactKind::Layer, key, Value::Null);
    }
    let mut types: BTreeMap<String, (u64, u64)> = BTreeMap::new();
    for (_, range) in message.extended.iter().filter(|(kind, _)| *kind == 1).take(MAX_TOLD) {
        let Some((dtype, numbers)) = array(range, data) else {
            context.miss(format!("the array at {:#x} is none of Flax's", range.start));
            continue;
        };
        if dtype == "object" || dtype.starts_with('O') {
            lie(range.start, "an array is one of objects", context);
        }
        let (count, total) = types.entry(dtype).or_default();
        (*count, *total) = (*count + 1, total.saturating_add(numbers));
    }
    for (dtype, (tensors, numbers)) in types {
        context.fact(FactKind::Tensors, &dtype, json!({"tensors": tensors, "numbers": numbers}));
    }
}

/// The type and the count of the numbers of an array: a list of shape, type and bytes.
fn array(range: &Range<u64>, data: &dyn ReadAt) -> Option<(String, u64)> {
    let mut head = vec![0; usize::try_from((range.end - range.start).min(512)).ok()?];
    data.read_exact_at(range.start, &mut head).ok()?;
    let mut bytes = head.iter().copied();
    if bytes.next() != Some(0x93) {
        return None;
    }
    let dimensions = match bytes.next()? {
        few @ 0x90..=0x9f => usize::from(few & 0x0f),
        _ => return None,
    };
    let number = |bytes: &mut dyn Iterator<Item = u8>, count: usize| {
        let mut number = 0_u64;
        for _ in 0..count {
            number = number << 8 | u64::from(bytes.next()?);
        }
        Some(number)
    };
    let mut numbers = 1_u64;
    for _ in 0..dimensions {
        let size = match bytes.next()? {
            small @ 0..=0x7f => u64::from(small),
            0xcc => number(&mut bytes, 1)?,
            0xcd => number(&mut bytes, 2)?,
            0xce => number(&mut bytes, 4)?,
            0xcf => number(&mut bytes, 8)?,
            _ => return None,
        };
        numbers = numbers.checked_mul(size)?;
    }
    // The name of the type is a text, or bytes in files of old versions.
    let length = match bytes.next()? {
        text @ 0xa0..=0xbf => usize::from(text & 0x1f),
        0xd9 | 0xc4 => usize::from(bytes.next()?),
        _ => return None,
    };
    let name: Vec<u8> = bytes.by_ref().take(length).collect();
    Some((String::from_utf8(name).ok()?, numbers))
}
