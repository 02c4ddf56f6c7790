//! Files of before PyTorch 1.6: a magic number, the version, what machine it was, the object and the keys of its storages,
//! each a pickle, then the raw bytes of the storages. Only `torch.load` reads more of them than the number.

use std::collections::BTreeMap;

use sealyard_formats::pickle::{BigInt, Graph, Node, NodeId, Pickle};

/// The number of the first pickle, little-endian.
const MAGIC: &[u8] = &[0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19];
/// How many pickles there are.
pub(super) const STREAMS: usize = 5;
/// Before the bytes of each storage stands how many elements it has.
const COUNT_BYTES: u64 = 8;

/// A storage that a persistent id names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Storage<'g> {
    key: &'g str,
    class: NodeId,
    elements: u64,
}

/// `('storage', class, key, location, size)`; files of before PyTorch 1.6 also say of which storage this one is a part.
pub(super) fn storage<'g>(graph: &'g Graph<'_>, id: NodeId) -> Option<Storage<'g>> {
    let Node::Tuple(parts) = graph.get(id) else { return None };
    let (kind, class, key, location, size) = match parts.as_slice() {
        [kind, class, key, location, size] => (kind, class, key, location, size),
        [kind, class, key, location, size, view] if is_view(graph, *view) => (kind, class, key, location, size),
        _ => return None,
    };
    let key = graph.str(*key)?;
    let is_key = key.chars().all(|character| character.is_ascii_alphanumeric() || character == '_');
    let Node::Int(elements) = graph.get(*size) else { return None };
    let fits = graph.str(*kind) == Some("storage") && is_key && graph.str(*location).is_some();
    let elements = u64::try_from(*elements).ok()?;
    fits.then_some(Storage { key, class: *class, elements })
}

fn is_view(graph: &Graph<'_>, id: NodeId) -> bool {
    match graph.get(id) {
        Node::None => true,
        Node::Tuple(parts) => matches!(parts.as_slice(), [key, offset, size]
            if graph.str(*key).is_some() && [offset, size].iter().all(|id| matches!(graph.get(**id), Node::Int(0..)))),
        _ => false,
    }
}

/// Whether `pickle` is such a file, with all its pickles.
pub(super) fn is_legacy(pickle: &Pickle<'_>) -> bool {
    let complete = pickle.streams.iter().take(STREAMS).filter(|stream| stream.stop.value().is_some());
    let value = pickle.value().map(|value| pickle.graph.get(value));
    complete.count() == STREAMS && matches!(value, Some(Node::BigInt(BigInt::Binary(bytes))) if bytes.as_ref() == MAGIC)
}

/// Where the raw bytes of the storages end, if `pickle` is such a file.
pub(crate) fn end_of_storages(pickle: &Pickle<'_>) -> Option<u64> {
    if !is_legacy(pickle) {
        return None;
    }
    let graph = &pickle.graph;
    let fourth = pickle.streams.get(STREAMS - 2)?;
    let mut storages = BTreeMap::new();
    for (id, node) in graph.iter() {
        // Bytes behind the pickles are no ids, even where they look like some.
        if !(fourth.start..fourth.end).contains(&graph.offset(id)) {
            continue;
        }
        let Node::Persistent(id) = node else { continue };
        let Some(found) = storage(graph, *id) else { continue };
        let bytes = found.elements.checked_mul(element(graph, found.class)?)?.checked_add(COUNT_BYTES)?;
        if storages.insert(found.key, bytes).is_some_and(|before| before != bytes) {
            return None;
        }
    }
    let end = pickle.streams.get(STREAMS - 1)?.end;
    storages.values().try_fold(end, |end, bytes| end.checked_add(*bytes))
}

/// Bytes of an element.
fn element(graph: &Graph<'_>, class: NodeId) -> Option<u64> {
    let (module, name) = graph.global(class)?.resolved()?;
    if !matches!(module, "torch" | "torch.cuda" | "torch.storage") {
        return None;
    }
    Some(match name.strip_suffix("Storage")? {
        "Byte" | "Char" | "Bool" | "QInt8" | "QUInt8" | "QUInt4x2" | "QUInt2x4" | "Untyped" => 1,
        "Short" | "Half" | "BFloat16" => 2,
        "Int" | "Float" | "QInt32" => 4,
        "Long" | "Double" | "ComplexFloat" => 8,
        "ComplexDouble" => 16,
        _ => return None,
    })
}
