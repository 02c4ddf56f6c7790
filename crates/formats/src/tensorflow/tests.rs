use proptest::prelude::*;

use super::*;
use crate::testing::{bytes, number};

fn attribute(name: &str, value: Vec<u8>) -> Vec<u8> {
    bytes(5, [bytes(1, name), bytes(2, value)].concat())
}

fn node(name: &str, operator: &str, inputs: &[&str], attributes: Vec<u8>) -> Vec<u8> {
    let inputs: Vec<u8> = inputs.iter().flat_map(|input| bytes(3, input)).collect();
    [bytes(1, name), bytes(2, operator), inputs, attributes].concat()
}

fn constant(name: &str, text: &str) -> Vec<u8> {
    let tensor = [number(1, 7), bytes(8, text)].concat();
    node(name, "Const", &[], attribute("value", bytes(8, tensor)))
}

fn graph(nodes: &[Vec<u8>]) -> Vec<u8> {
    nodes.iter().flat_map(|node| bytes(1, node)).collect()
}

fn parse(bytes: &[u8], root: Root) -> Graphs {
    Graphs::parse(&bytes, root, Limits::default(), &|operator| operator == "ReadFile")
}

fn texts(graphs: &Graphs) -> (Vec<&str>, bool) {
    let node = graphs.nodes.iter().find(|node| node.operator == "ReadFile").unwrap();
    let texts = graphs.texts_into(node, Some(0), &mut 1000);
    (texts.texts.into_iter().map(|(_, text)| text).collect(), texts.is_open)
}

#[test]
fn a_path_is_followed_to_its_constants() {
    let bytes = graph(&[
        constant("a", "/etc/"),
        constant("b", "passwd"),
        node("c", "StringJoin", &["a", "b:0"], Vec::new()),
        node("r", "ReadFile", &["^a", "c"], Vec::new()),
    ]);
    assert_eq!(texts(&parse(&bytes, Root::GraphDef)), (vec!["/etc/", "passwd"], false));
}

#[test]
fn a_path_in_packed_content_is_read() {
    let tensor = [number(1, 7), bytes(4, b"\x05/path")].concat();
    let constant = node("a", "Const", &[], attribute("value", bytes(8, tensor)));
    let bytes = graph(&[constant, node("r", "ReadFile", &["a"], Vec::new())]);
    assert_eq!(texts(&parse(&bytes, Root::GraphDef)), (vec!["/path"], false));
}

#[test]
fn an_argument_is_what_a_caller_gives() {
    let arguments = [bytes(2, bytes(1, "other")), bytes(2, bytes(1, "argument"))].concat();
    let signature = [bytes(1, "f"), arguments].concat();
    let function =
        [bytes(1, signature), bytes(3, node("r", "ReadFile", &["argument"], attribute("T", bytes(9, "T"))))].concat();
    let library = bytes(2, bytes(1, function));
    let named = attribute("f", bytes(10, bytes(1, "f")));
    for caller in [
        node("call", "PartitionedCall", &["b", "a"], named.clone()),
        node("call", "If", &["b", "b", "a"], named),
        node("call", "f", &["b", "a"], Vec::new()),
    ] {
        let nodes = graph(&[constant("a", "/etc"), constant("b", "else"), caller]);
        let graphs = parse(&[nodes, library.clone()].concat(), Root::GraphDef);
        assert!(graphs.broken.is_none(), "{:?}", graphs.broken);
        assert_eq!((graphs.functions.len(), texts(&graphs)), (1, (vec!["/etc"], true)));
    }
}

#[test]
fn loops_and_long_ways_end() {
    let mut nodes = vec![node("r", "ReadFile", &["n0"], Vec::new())];
    for index in 0..100 {
        let next = format!("n{}", (index + 1) % 100);
        nodes.push(node(&format!("n{index}"), "Identity", &[&next, &next], Vec::new()));
    }
    let graphs = parse(&graph(&nodes), Root::GraphDef);
    assert_eq!(texts(&graphs), (Vec::new(), false));
    let reader = graphs.nodes.iter().find(|node| node.operator == "ReadFile").unwrap();
    assert!(graphs.texts_into(reader, None, &mut 50).is_open);
}

#[test]
fn what_a_saved_model_says_is_told() {
    let object = bytes(4, [bytes(1, "_tf_keras_layer"), bytes(3, "{}")].concat());
    let info = [bytes(1, "x:0"), number(2, 1), bytes(3, bytes(2, number(1, 3)))].concat();
    let signature =
        bytes(5, [bytes(1, "serve"), bytes(2, bytes(1, [bytes(1, "x"), bytes(2, info)].concat()))].concat());
    let meta = [
        bytes(1, [bytes(4, "serve"), bytes(5, "2.21.0")].concat()),
        bytes(2, [graph(&[node("x", "Placeholder", &[], Vec::new())]), bytes(4, number(1, 99))].concat()),
        signature,
        bytes(6, [bytes(1, bytes(1, "a:0")), bytes(2, "vocabulary.txt")].concat()),
        bytes(7, bytes(1, object)),
    ]
    .concat();
    let graphs = parse(&[number(1, 1), bytes(2, meta)].concat(), Root::SavedModel);
    assert!(graphs.broken.is_none());
    assert_eq!((graphs.schema, graphs.producer), (1, 99));
    assert_eq!(graphs.versions.keys().collect::<Vec<_>>(), ["2.21.0"]);
    assert_eq!(graphs.signatures, [("serve".to_owned(), "(x: float32[3]) -> ()".to_owned())]);
    assert_eq!((graphs.assets[0].file.as_str(), graphs.assets[0].tensor.as_str()), ("vocabulary.txt", "a:0"));
    assert_eq!(graphs.keras[0].identifier, "_tf_keras_layer");
}

#[test]
fn broken_bytes_keep_what_came_before() {
    let bytes = [graph(&[node("r", "ReadFile", &[], Vec::new())]), vec![0x0a, 0x7f]].concat();
    let graphs = parse(&bytes, Root::GraphDef);
    assert!(graphs.broken.is_some());
    assert_eq!(graphs.nodes.len(), 1);
}

#[test]
fn what_is_kept_is_bounded() {
    let bytes = graph(&vec![constant("a", &"x".repeat(4000)); 2000]);
    let limits = Limits { kept: 1 << 20, ..Limits::default() };
    let graphs = Graphs::parse(&bytes, Root::GraphDef, limits, &|_| false);
    assert!(matches!(graphs.broken, Some(MessageError::Kept)));
}

proptest! {
    #[test]
    fn nothing_panics(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        for root in [Root::SavedModel, Root::MetaGraph, Root::GraphDef, Root::Node, Root::KerasMetadata] {
            let _ = Graphs::parse(&bytes, root, Limits::default(), &|_| true);
        }
    }

    #[test]
    fn no_change_of_a_graph_panics(place in 0..200_usize, byte: u8) {
        let mut bytes = graph(&[constant("a", "/etc/"), node("r", "ReadFile", &["a"], Vec::new())]);
        if let Some(old) = bytes.get_mut(place) {
            *old = byte;
        }
        let graphs = Graphs::parse(&bytes, Root::GraphDef, Limits::default(), &|_| true);
        for node in &graphs.nodes {
            let _ = graphs.texts_into(node, None, &mut 1000);
        }
    }
}
