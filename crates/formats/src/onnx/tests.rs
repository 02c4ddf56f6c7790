use std::io;

use proptest::prelude::*;

use super::*;
use crate::testing::{bytes, number};

fn external(location: &str) -> Vec<u8> {
    let entry = |key: &str, value: &str| bytes(13, [bytes(1, key), bytes(2, value)].concat());
    [number(1, 2), number(1, 3), number(2, 1), bytes(8, "w"), entry("location", location), entry("__class__", "x")]
        .concat()
}

fn node(operator: &str, domain: &str, attributes: &[Vec<u8>]) -> Vec<u8> {
    let attributes: Vec<u8> = attributes.iter().flat_map(|attribute| bytes(5, attribute)).collect();
    [bytes(3, "n"), bytes(4, operator), attributes, bytes(7, domain)].concat()
}

fn model(nodes: &[Vec<u8>], more: &[Vec<u8>]) -> Vec<u8> {
    let nodes: Vec<u8> = nodes.iter().flat_map(|node| bytes(1, node)).collect();
    let set = bytes(8, [bytes(1, "own"), number(2, 3)].concat());
    [number(1, 9), bytes(2, "torch"), bytes(7, [nodes, more.concat()].concat()), set].concat()
}

fn parse(bytes: &[u8]) -> Onnx {
    Onnx::parse(&bytes, Limits::default(), &|_, operator| operator == "Kept")
}

#[test]
fn what_a_model_says_is_told() {
    let shape = bytes(2, [bytes(1, bytes(2, "batch")), bytes(1, number(1, 4)), bytes(1, [])].concat());
    let input = bytes(11, [bytes(1, "x"), bytes(2, bytes(1, [number(1, 1), shape].concat()))].concat());
    let tensor = bytes(5, [bytes(1, b"\x02\x03"), number(2, 10), bytes(9, [0; 12])].concat());
    let found = parse(&model(&[node("Add", "ai.onnx", &[]), node("Add", "", &[])], &[input, tensor]));
    assert!(found.broken.is_none());
    assert_eq!((found.ir_version, found.producer.as_str(), found.opsets.get("own")), (9, "torch", Some(&3)));
    assert_eq!(found.operators.get(&(String::new(), "Add".to_owned())).unwrap().count, 2);
    assert_eq!(found.values, [("input", "x".to_owned(), "float32[batch, 4, ?]".to_owned())]);
    assert_eq!(found.tensors, BTreeMap::from([(10, (1, 6))]));
}

#[test]
fn tensors_are_found_wherever_they_are() {
    let tensor = external("/etc/passwd");
    let constant = |number| node("Constant", "", &[bytes(number, &tensor)]);
    let graph = bytes(1, constant(5));
    let sparse = bytes(1, &tensor);
    let files = [
        model(&[], &[bytes(5, &tensor)]),
        model(&[], &[bytes(15, &sparse)]),
        model(&[constant(5)], &[]),
        model(&[constant(10)], &[]),
        model(&[node("Constant", "", &[bytes(22, &sparse)])], &[]),
        model(&[node("If", "", &[bytes(6, &graph)])], &[]),
        model(&[node("Loop", "", &[bytes(11, bytes(1, node("If", "", &[bytes(6, &graph)])))])], &[]),
        [model(&[], &[]), bytes(20, bytes(2, &graph))].concat(),
        [model(&[], &[]), bytes(25, bytes(7, constant(5)))].concat(),
        [model(&[], &[]), bytes(25, bytes(11, bytes(5, &tensor)))].concat(),
        // A field of the wrong type before it, which readers step over.
        [number(7, 1), model(&[constant(5)], &[])].concat(),
    ];
    for (index, file) in files.iter().enumerate() {
        let found = parse(file);
        assert_eq!(found.external.keys().collect::<Vec<_>>(), ["/etc/passwd"], "{index}: {:?}", found.broken);
        assert!(found.odd_keys.contains_key("__class__"));
    }
}

#[test]
fn nodes_are_kept_with_their_attributes() {
    let text = [bytes(1, "path"), bytes(4, "/etc")].concat();
    let number = [bytes(1, "mode"), number(3, 1)].concat();
    let found = parse(&model(&[node("Kept", "own", &[text, number]), node("Other", "own", &[])], &[]));
    assert_eq!(found.nodes.len(), 1);
    let attributes = [("path".to_owned(), "/etc".to_owned()), ("mode".to_owned(), "1".to_owned())];
    assert_eq!(found.nodes[0].attributes, attributes);
}

#[test]
fn deep_graphs_end() {
    let mut graph = bytes(1, node("If", "", &[]));
    for _ in 0..2000 {
        graph = bytes(1, node("If", "", &[bytes(6, &graph)]));
    }
    let found = parse(&bytes(7, graph));
    assert!(matches!(found.broken, Some(MessageError::Depth(_))), "{:?}", found.broken);
}

#[test]
fn tensors_are_not_read() {
    struct Sparse(Vec<u8>, u64);
    impl ReadAt for Sparse {
        fn size(&self) -> u64 {
            self.1
        }
        fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
            assert!(offset < 4096, "the tensor is read");
            buffer.fill(0);
            self.0.read_at(offset, buffer)?;
            Ok(buffer.len())
        }
    }
    // A tensor of 2^40 bytes that ends with the file.
    let length = |length: u64| (0..6).map(move |place| u8::try_from(length >> (7 * place) & 0x7f).unwrap() | 0x80);
    let size = 1_u64 << 40;
    let mut file = Vec::new();
    for (tag, inside) in [(0x3a, 24), (0x2a, 16), (0x4a, 8)] {
        file.push(tag);
        file.extend(length(size - 24 + inside - 8));
        file.push(0);
    }
    let found = Onnx::parse(&Sparse(file, size), Limits::default(), &|_, _| true);
    assert!(found.broken.is_none(), "{:?}", found.broken);
    assert_eq!(found.tensors.len(), 1);
}

proptest! {
    #[test]
    fn nothing_panics(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = Onnx::parse(&bytes, Limits::default(), &|_, _| true);
    }

    #[test]
    fn no_change_of_a_model_panics(place in 0..100_usize, byte: u8) {
        let mut bytes = model(&[node("Constant", "", &[bytes(5, external("/etc"))])], &[]);
        if let Some(old) = bytes.get_mut(place) {
            *old = byte;
        }
        let _ = parse(&bytes);
    }
}
