//! What `torch.save` wrote before PyTorch 1.6, and still writes when it is asked to: five pickles one after the other (a magic
//! number, a version, the machine's integers, the object, the keys of its storages), then for each key how many elements it has, as
//! eight bytes, and these.
//!
//! Facts from `torch/serialization.py`, `_legacy_save` and `_legacy_load`.

use sealyard_formats::pickle::{Act, BigInt, Graph, Node, NodeId, Pickle};

/// `0x1950a86a20f9469cfc6c`, as a pickle has it.
const MAGIC: [u8; 10] = [0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19];
const VERSION: i64 = 1001;
/// How many pickles there are.
const PICKLES: usize = 5;
/// Bytes of an element, by the name of its storage's class.
const SIZES: &[(&str, u64)] = &[
    ("BFloat16Storage", 2),
    ("BoolStorage", 1),
    ("ByteStorage", 1),
    ("CharStorage", 1),
    ("ComplexDoubleStorage", 16),
    ("ComplexFloatStorage", 8),
    ("DoubleStorage", 8),
    ("FloatStorage", 4),
    ("HalfStorage", 2),
    ("IntStorage", 4),
    ("LongStorage", 8),
    ("QInt32Storage", 4),
    ("QInt8Storage", 1),
    ("QUInt8Storage", 1),
    ("ShortStorage", 2),
    ("UntypedStorage", 1),
];

/// Whether the pickles are those of such a file.
pub(super) fn is(pickle: &Pickle<'_>) -> bool {
    let values = || pickle.streams.iter().map_while(|stream| stream.stop.value());
    let mut first = values().map(|value| pickle.graph.get(value));
    matches!(first.next(), Some(Node::BigInt(BigInt::Binary(bytes))) if bytes.as_ref() == MAGIC)
        && matches!(first.next(), Some(Node::Int(VERSION)))
        && values().count() >= PICKLES
}

/// Where the pickles end, if what follows them is nothing but the storages that they name: PyTorch copies those into memory, and
/// runs none of them.
pub(super) fn end_of_pickles(pickle: &Pickle<'_>, bytes: &[u8]) -> Option<usize> {
    if !is(pickle) {
        return None;
    }
    let last = pickle.streams.get(PICKLES - 1)?;
    let keys = pickle.graph.sequence(last.stop.value()?)?;
    let end = usize::try_from(last.end).ok()?;
    let mut position = end;
    for key in keys {
        let size = size_of(pickle, pickle.graph.str(*key)?)?;
        let count = bytes.get(position..position.checked_add(8)?)?;
        let count = u64::from_le_bytes(count.try_into().ok()?);
        let length = usize::try_from(count.checked_mul(size)?).ok()?;
        position = position.checked_add(8)?.checked_add(length)?;
    }
    (position == bytes.len()).then_some(end)
}

/// Bytes of an element of the storage with this key, by the first persistent id that names it, as PyTorch goes by that.
fn size_of(pickle: &Pickle<'_>, key: &str) -> Option<u64> {
    pickle.events.iter().find_map(|event| {
        let Act::PersistentLoaded(node) = event.act else { return None };
        let Node::Persistent(id) = pickle.graph.get(node) else { return None };
        let [_, class, named, ..] = pickle.graph.sequence(*id)? else { return None };
        if pickle.graph.str(*named) != Some(key) {
            return None;
        }
        let (module, class) = pickle.graph.global(*class)?.resolved()?;
        if !matches!(module, "torch" | "torch.storage" | "torch.cuda") {
            return None;
        }
        SIZES.iter().find(|(name, _)| *name == class).map(|(_, size)| *size)
    })
}

/// Whether a persistent id is one of PyTorch's: a storage, in these files also with what part of it is seen, or a module with the
/// text of its class, which is compared and never run.
pub(crate) fn is_id(graph: &Graph<'_>, id: NodeId) -> bool {
    let Node::Tuple(parts) = graph.get(id) else { return false };
    match parts.as_slice() {
        [kind, _, key, location, size] => is_storage(graph, *kind, *key, *location, *size),
        [kind, _, key, location, size, view] => {
            is_storage(graph, *kind, *key, *location, *size) && is_view(graph, *view)
        }
        [kind, _, file, source] => {
            let is_text = |node: &NodeId| matches!(graph.get(*node), Node::None | Node::Str(_));
            graph.str(*kind) == Some("module") && is_text(file) && is_text(source)
        }
        _ => false,
    }
}

fn is_storage(graph: &Graph<'_>, kind: NodeId, key: NodeId, location: NodeId, size: NodeId) -> bool {
    graph.str(kind) == Some("storage")
        && graph
            .str(key)
            .is_some_and(|key| key.chars().all(|character| character.is_ascii_alphanumeric() || character == '_'))
        && graph.str(location).is_some()
        && matches!(graph.get(size), Node::Int(0..))
}

fn is_view(graph: &Graph<'_>, view: NodeId) -> bool {
    match graph.get(view) {
        Node::None => true,
        Node::Tuple(parts) => matches!(parts.as_slice(), [key, offset, size]
            if graph.str(*key).is_some()
                && matches!((graph.get(*offset), graph.get(*size)), (Node::Int(0..), Node::Int(0..)))),
        _ => false,
    }
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
            assert!(verdict(&bad).0 >= Verdict::Suspicious, "{:?}", verdict(&bad));
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
