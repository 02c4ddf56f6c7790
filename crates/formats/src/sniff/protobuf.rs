use sealyard_core::ReadAt;
use std::ops::Range;

use super::Format;
use crate::protobuf::{Field, Fields, Value};

/// Fields of one message that are looked at.
const MAX_FIELDS: usize = 4096;
/// Longest name that is read.
const MAX_NAME: u64 = 4096;
/// Entries of a table that are looked into.
const MAX_ENTRIES: usize = 64;

/// Which known message fills the file. The order of the fields does not matter, and fields that a schema does not have
/// are stepped over: readers do the same.
pub(super) fn by_fields(source: &dyn ReadAt, head: &[u8]) -> Option<Format> {
    // Cheap, and true of everything below: the first tag is that of a small field with a number or bytes.
    if !matches!(head.first()? & 7, 0 | 2 | 3) {
        return None;
    }
    let root = Message::read(source, 0..source.size())?;
    let nested = |number: u32| root.ranges(number).filter_map(|range| Message::read(source, range));
    if nested(7).any(|graph| is_onnx_graph(&graph)) || (root.has_varint(1) && nested(8).any(|set| is_opset(&set))) {
        return Some(Format::Onnx);
    }
    if nested(2).any(|meta| is_meta_graph(&meta)) {
        return Some(Format::SavedModel);
    }
    if is_meta_graph(&root) {
        return Some(Format::MetaGraph);
    }
    if is_graph(&root) {
        return Some(Format::GraphDef);
    }
    // `specificationVersion`, a description, and one of the model types, which have the numbers from 200 on.
    if root.has_varint(1) && root.has_bytes(2) && root.fields.iter().any(is_core_ml_type) {
        return Some(Format::CoreMl);
    }
    if nested(1).next().is_some_and(|object| is_keras_object(&object)) {
        return Some(Format::KerasMetadata);
    }
    if is_fingerprint(&root) {
        return Some(Format::Fingerprint);
    }
    let mut entries = root.ranges(1).take(MAX_ENTRIES).peekable();
    let is_entry = |range| Message::read(source, range).is_some_and(|entry| is_word(&entry));
    let is_table = entries.peek().is_some() && entries.all(is_entry);
    let only = |most: u32| root.fields.iter().all(|field| field.number <= most);
    match is_table {
        // Pieces, then the specifications of the trainer, the normalizer, the self test and the denormalizer.
        true if root.has_bytes(2) && root.has_bytes(3) && only(5) => Some(Format::SentencePiece),
        true if only(1) => Some(Format::Vocabulary),
        _ => None,
    }
}

struct Message<'s> {
    source: &'s dyn ReadAt,
    fields: Vec<Field>,
}

impl<'s> Message<'s> {
    /// The fields of a message; none if the bytes are no message, as far as they are looked at.
    fn read(source: &'s dyn ReadAt, range: Range<u64>) -> Option<Self> {
        let fields = Fields::within(source, range).take(MAX_FIELDS).collect::<Result<Vec<_>, _>>().ok()?;
        Some(Self { source, fields })
    }

    fn ranges(&self, number: u32) -> impl Iterator<Item = Range<u64>> + '_ {
        self.fields.iter().filter(move |field| field.number == number).filter_map(Field::range)
    }

    fn has_bytes(&self, number: u32) -> bool {
        self.ranges(number).next().is_some()
    }

    fn has_varint(&self, number: u32) -> bool {
        self.fields.iter().any(|field| field.number == number && matches!(field.value, Value::Varint(_)))
    }

    fn nested(&self, number: u32) -> impl Iterator<Item = Message<'s>> + '_ {
        self.ranges(number).filter_map(|range| Message::read(self.source, range))
    }

    /// The last text of that number, which is the one that readers take.
    fn text(&self, number: u32) -> Option<String> {
        let range = self.ranges(number).last()?;
        let length = range.end.checked_sub(range.start).filter(|length| *length <= MAX_NAME)?;
        let mut bytes = vec![0; usize::try_from(length).ok()?];
        self.source.read_exact_at(range.start, &mut bytes).ok()?;
        String::from_utf8(bytes).ok()
    }
}

/// `GraphProto`: nodes, which have an `op_type`, or a name with inputs and outputs that have names.
fn is_onnx_graph(graph: &Message<'_>) -> bool {
    let has_nodes = graph.nested(1).take(MAX_ENTRIES).any(|node| node.text(4).is_some_and(|name| is_name(&name)));
    let has_values = [5, 11, 12].iter().any(|number| graph.has_bytes(*number));
    has_nodes || (has_values && graph.text(2).is_some())
}

/// `OperatorSetIdProto`: a domain, or none for that of ONNX itself, and a version.
fn is_opset(set: &Message<'_>) -> bool {
    let only_known = set.fields.iter().all(|field| matches!(field.number, 1 | 2));
    only_known && set.has_varint(2) && (!set.has_bytes(1) || set.text(1).is_some_and(|name| !has_control(&name)))
}

/// `MetaGraphDef`: a `GraphDef` in its second field, or only what a saved object graph has.
fn is_meta_graph(meta: &Message<'_>) -> bool {
    let info = |info: Message<'_>| info.has_bytes(2) || info.has_bytes(4) || info.has_bytes(5);
    meta.nested(2).any(|graph| is_graph(&graph)) || (meta.nested(1).any(info) && meta.has_bytes(7) && meta.has_bytes(2))
}

/// `GraphDef`: nodes with a name and an operation, or a library of functions.
fn is_graph(graph: &Message<'_>) -> bool {
    let is_node = |node: Message<'_>| {
        node.text(1).is_some_and(|name| !has_control(&name)) && node.text(2).is_some_and(|name| is_name(&name))
    };
    // `FunctionDef`: a signature with a name.
    let is_function = |function: Message<'_>| function.nested(1).any(|signature| signature.text(1).is_some());
    graph.nested(1).take(MAX_ENTRIES).any(is_node)
        || graph.nested(2).any(|library| library.nested(1).take(MAX_ENTRIES).any(is_function))
}

const fn is_core_ml_type(field: &Field) -> bool {
    matches!(field.number, 200..=3000) && matches!(field.value, Value::Bytes(_))
}

/// `SavedObject`: a number, a path, an identifier that begins with `_tf_keras_`, and JSON.
fn is_keras_object(object: &Message<'_>) -> bool {
    object.text(4).is_some_and(|name| name.starts_with("_tf_keras_"))
}

/// `FingerprintDef`: sums as numbers, a version, a text.
fn is_fingerprint(root: &Message<'_>) -> bool {
    let known = |field: &Field| match field.number {
        1..=5 => matches!(field.value, Value::Varint(_)),
        6 | 7 => matches!(field.value, Value::Bytes(_)),
        _ => false,
    };
    root.fields.len() >= 4 && root.fields.iter().all(known)
}

/// An entry of a table: a text, and numbers.
fn is_word(entry: &Message<'_>) -> bool {
    let scalars = entry.fields.iter().all(|field| field.number == 1 || field.range().is_none());
    scalars && entry.ranges(1).count() == 1 && entry.text(1).is_some()
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.>:-".contains(&byte))
}

fn has_control(name: &str) -> bool {
    name.chars().any(char::is_control)
}
