//! Arrays of Arrow, which pyarrow makes of buffers without a look at their lengths: one that says more than its buffers
//! hold lets whoever reads it read memory that is not its own.

use std::borrow::Cow;

use sealyard_formats::pickle::{Graph, Node, NodeId};

use crate::allow::{self, Shape};

/// Most bytes of offsets that are read of all arrays of a file.
pub(super) const MAX_OFFSETS: u64 = 256 << 20;
/// Most elements of one array.
const MAX_LENGTH: u64 = 1 << 40;

/// Whether the call `_restore_array((type, length, nulls, offset, buffers, children, dictionary))` with these arguments
/// makes an array that lies within its buffers.
pub(super) fn is_whole(graph: &Graph<'_>, args: NodeId, left: &mut u64) -> bool {
    look(graph, args, left).unwrap_or(false)
}

fn look(graph: &Graph<'_>, args: NodeId, left: &mut u64) -> Option<bool> {
    let [data] = graph.sequence(args)? else { return None };
    let Node::Tuple(parts) = graph.get(*data) else { return None };
    let [kind, length, _, offset, buffers, children, dictionary] = parts.as_slice() else { return None };
    let number = |id: NodeId| match graph.get(id) {
        Node::Int(number) => u64::try_from(*number).ok().filter(|number| *number <= MAX_LENGTH),
        _ => None,
    };
    let total = number(*length)? + number(*offset)?;
    let is_flat = matches!(graph.get(*children), Node::List(items) if items.is_empty());
    if !is_flat || !matches!(graph.get(*dictionary), Node::None) || shape_of(graph, *kind)? != Shape::Constants {
        return None;
    }
    let [kind] = graph.arguments(*kind)? else { return None };
    let kind = graph.str(*kind)?;
    let Node::List(buffers) = graph.get(*buffers) else { return None };
    let [validity, rest @ ..] = buffers.as_slice() else { return None };
    if !matches!(graph.get(*validity), Node::None) && length_of(graph, *validity)? < total.div_ceil(8) {
        return None;
    }
    match (kind, rest) {
        ("string" | "binary", [offsets, data]) => offsets_fit::<4>(graph, *offsets, *data, total, left),
        ("large_string" | "large_binary", [offsets, data]) => offsets_fit::<8>(graph, *offsets, *data, total, left),
        (_, [data]) => Some(length_of(graph, *data)? >= total.saturating_mul(bits(kind)?).div_ceil(8)),
        _ => None,
    }
}

/// Bits of an element.
fn bits(kind: &str) -> Option<u64> {
    Some(match kind {
        "bool" => 1,
        "int8" | "uint8" => 8,
        "int16" | "uint16" | "halffloat" => 16,
        "int32" | "uint32" | "float" => 32,
        "int64" | "uint64" | "double" => 64,
        _ => return None,
    })
}

/// Whether each element of `data` begins where the one before it ends, and none behind the end.
fn offsets_fit<const N: usize>(
    graph: &Graph<'_>,
    offsets: NodeId,
    data: NodeId,
    total: u64,
    left: &mut u64,
) -> Option<bool> {
    if total == 0 {
        return Some(true);
    }
    let end = match graph.get(data) {
        Node::None => 0,
        _ => length_of(graph, data)?,
    };
    let offsets = bytes_of(graph, offsets)?;
    let count = usize::try_from(total + 1).ok()?;
    *left = left.checked_sub(offsets.len() as u64)?;
    let offsets = offsets.get(..count.checked_mul(N)?)?;
    let mut last = 0;
    for offset in offsets.chunks_exact(N) {
        let offset = offset.iter().rev().fold(0_u64, |offset, byte| offset << 8 | u64::from(*byte));
        if offset < last || offset > end {
            return None;
        }
        last = offset;
    }
    Some(true)
}

fn length_of(graph: &Graph<'_>, buffer: NodeId) -> Option<u64> {
    bytes_of(graph, buffer).map(|bytes| bytes.len() as u64)
}

/// The bytes of `py_buffer(b'…')` or `py_buffer(bytearray(b'…'))`.
fn bytes_of<'g>(graph: &'g Graph<'_>, buffer: NodeId) -> Option<Cow<'g, [u8]>> {
    if shape_of(graph, buffer)? != Shape::ArrowBuffer {
        return None;
    }
    let [bytes] = graph.arguments(buffer)? else { return None };
    match graph.get(*bytes) {
        Node::ByteArray(bytes) => Some(Cow::Borrowed(bytes.as_ref())),
        Node::Call { .. } if graph.called(*bytes) == Some(("builtins", "bytearray")) => {
            let [bytes] = graph.arguments(*bytes)? else { return None };
            graph.bytes(*bytes)
        }
        _ => graph.bytes(*bytes),
    }
}

/// The shape of the name that a call calls.
fn shape_of(graph: &Graph<'_>, call: NodeId) -> Option<Shape> {
    let (module, name) = graph.called(call)?;
    allow::shape(module, name)
}

#[cfg(test)]
mod tests {
    use sealyard_core::Verdict;

    use crate::Scanner;

    fn text(text: &str) -> Vec<u8> {
        [&[0x8c, u8::try_from(text.len()).unwrap()], text.as_bytes()].concat()
    }

    fn name(name: &str) -> Vec<u8> {
        [text("pyarrow.lib"), text(name), b"\x93".to_vec()].concat()
    }

    fn buffer(bytes: &[u8]) -> Vec<u8> {
        [&name("py_buffer")[..], b"C", &[u8::try_from(bytes.len()).unwrap()], bytes, b"\x85R"].concat()
    }

    /// An array of texts or numbers with these offsets or numbers, and the bytes of the texts.
    fn array(kind: &str, length: u8, numbers: &[i64], data: Option<&[u8]>) -> Verdict {
        let numbers: Vec<u8> = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
        let file = [
            &b"\x80\x04"[..],
            &name("_restore_array"),
            b"(",
            &name("type_for_alias"),
            &text(kind),
            b"\x85RK",
            &[length],
            b"K\0K\0](N",
            &buffer(&numbers),
            &data.map(buffer).unwrap_or_default(),
            b"e]Nt\x85R.",
        ]
        .concat();
        Scanner::new().scan_file("a.pkl", &file).verdict
    }

    #[test]
    fn only_arrays_within_their_buffers_pass() {
        assert_eq!(array("large_string", 2, &[0, 1, 2], Some(b"ab")), Verdict::Safe);
        assert_eq!(array("int64", 2, &[7, 8], None), Verdict::Safe);
        for (kind, length, numbers, data) in [
            ("large_string", 3, &[0, 1, 2][..], Some(&b"ab"[..])),
            ("large_string", 2, &[0, 1, 3], Some(b"ab")),
            ("large_string", 2, &[0, 2, 1], Some(b"ab")),
            ("large_string", 2, &[-1, 1, 2], Some(b"ab")),
            ("large_string", 2, &[0, 1, 2], None),
            ("int64", 3, &[7, 8], None),
            ("extension", 1, &[7, 8], None),
        ] {
            assert_eq!(array(kind, length, numbers, data), Verdict::Unsafe, "{kind} {length} {numbers:?}");
        }
    }
}
