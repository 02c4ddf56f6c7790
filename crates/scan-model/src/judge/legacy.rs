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

#[cfg(test)]
mod tests {
    use sealyard_core::Verdict;

    use crate::Scanner;

    /// A file with one storage of two floats, whose object is `object`.
    fn file(object: &[u8], storage: &[u8]) -> Vec<u8> {
        [
            b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.\x80\x02}.",
            object,
            b"\x80\x02]U\x011a.",
            &2_u64.to_le_bytes(),
            storage,
        ]
        .concat()
    }

    const OBJECT: &[u8] = b"\x80\x02(U\x07storagectorch\nFloatStorage\nU\x011U\x03cpuK\x02NtQ.";

    fn verdict(bytes: &[u8]) -> (Verdict, Vec<String>) {
        let report = Scanner::new().scan_file("model.pt", &bytes);
        let mut rules: Vec<String> = report.findings.into_iter().map(|finding| finding.rule).collect();
        rules.dedup();
        (report.verdict, rules)
    }

    #[test]
    fn what_torch_wrote_is_safe() {
        assert_eq!(verdict(&file(OBJECT, &[0x80, 2, b'N', b'.', 1, 2, 3, 4])), (Verdict::Safe, vec![]));
    }

    #[test]
    fn what_does_not_fit_is_not() {
        let good = file(OBJECT, &[1; 8]);
        for bad in [
            file(OBJECT, &[1; 9]),
            file(OBJECT, &[1; 7]),
            [&good[..], b"cos\nsystem\n."].concat(),
            file(
                &OBJECT.to_vec().iter().map(|byte| if *byte == b'F' { b'G' } else { *byte }).collect::<Vec<_>>(),
                &[1; 8],
            ),
        ] {
            assert!(verdict(&bad).0 != Verdict::Safe, "{:?}", verdict(&bad));
        }
        for object in [
            b"\x80\x02cos\nsystem\nU\x04true\x85R.".as_slice(),
            b"\x80\x02(U\x07storagecos\nsystem\nU\x011U\x03cpuK\x02NtQ.",
        ] {
            let (verdict, rules) = verdict(&file(object, &[1; 8]));
            assert_eq!(verdict, Verdict::Unsafe);
            assert!(rules.contains(&"pickle-dangerous-global".to_owned()), "{rules:?}");
        }
    }

    #[test]
    fn ids_of_other_kinds_are_told() {
        for object in [
            b"\x80\x02U\x05hello\x85Q.".as_slice(),
            b"\x80\x02(U\x07storagectorch\nFloatStorage\nU\x04../aU\x03cpuK\x02NtQ.",
            b"\x80\x02(U\x07storagectorch\nFloatStorage\nU\x011U\x03cpuK\x02U\x01xtQ.",
        ] {
            assert_eq!(verdict(&file(object, &[1; 8])).0, Verdict::Suspicious, "{object:?}");
        }
    }
}
