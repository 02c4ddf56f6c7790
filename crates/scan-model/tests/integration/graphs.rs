//! Models that are graphs: ONNX, TensorFlow, TensorFlow Lite, Core ML.

#![allow(clippy::unwrap_used, reason = "these are tests, helpers included")]

use std::fs;
use std::sync::Arc;

use sealyard_core::{ReadAt, TreePath, Verdict};
use sealyard_scan::{Fact, FactKind, SubjectReport};
use sealyard_scan_model::Scanner;

use crate::corpus::root;

fn fixture(name: &str) -> Vec<u8> {
    fs::read(root().join(name)).unwrap()
}

fn scan(name: &str, bytes: &[u8]) -> SubjectReport {
    Scanner::new().scan_file(name, &bytes)
}

fn told<'r>(report: &'r SubjectReport, kind: FactKind, name: &str) -> Option<&'r Fact> {
    report.facts.iter().find(|fact| fact.kind == kind && fact.name == name)
}

/// A field of a message.
fn field(number: u8, content: &[u8]) -> Vec<u8> {
    let mut out = vec![number << 3 | 2];
    let mut length = content.len();
    while length >= 0x80 {
        out.push(u8::try_from(length & 0x7f).unwrap() | 0x80);
        length >>= 7;
    }
    out.push(u8::try_from(length).unwrap());
    out.extend(content);
    out
}

#[test]
fn what_graphs_hold_is_told() {
    type Told<'a> = (&'a str, &'a str, &'a [(FactKind, &'a str)]);
    let expected: &[Told<'_>] = &[
        (
            "onnx-outside-path/ok/inside.onnx",
            "onnx",
            &[
                (FactKind::Format, "onnx"),
                (FactKind::Framework, "example"),
                (FactKind::Framework, "ai.onnx"),
                (FactKind::Layer, "Add"),
                (FactKind::Signature, "x"),
                (FactKind::Tensors, "float32"),
            ],
        ),
        ("onnx-outside-path/ok/beside.onnx", "onnx", &[(FactKind::Dependency, "weights/w.bin")]),
        (
            "tensorflow-file-access/ok/saved_model.pb",
            "tensorflow-saved-model",
            &[(FactKind::Framework, "tensorflow"), (FactKind::Layer, "Identity"), (FactKind::Property, "serve")],
        ),
        ("tensorflow-file-access/ok/saved_model.pbtxt", "tensorflow-text", &[(FactKind::Layer, "StringLower")]),
        ("tensorflow-checkpoint-path/ok/usual.pb", "tensorflow-graph", &[(FactKind::Layer, "SaveV2")]),
        ("tensorflow-asset-path/ok/plain.pb", "tensorflow-saved-model", &[(FactKind::Dependency, "vocabulary.txt")]),
        ("tensorflow-keras-code/ok/dense.pb", "keras-metadata", &[(FactKind::Layer, "Dense")]),
        (
            "tflite-tensorflow-operator/ok/erf.tflite",
            "tflite",
            &[(FactKind::Layer, "RELU"), (FactKind::Layer, "FlexErfinv"), (FactKind::Signature, "y")],
        ),
        (
            "coreml-custom-class/ok/network.mlmodel",
            "coreml",
            &[(FactKind::Format, "coreml"), (FactKind::Architecture, "neuralNetwork"), (FactKind::Layer, "activation")],
        ),
    ];
    for (name, kind, facts) in expected {
        let report = scan(name, &fixture(name));
        assert_eq!(report.kind, *kind, "{name}");
        for (kind, fact) in *facts {
            let is_told = told(&report, *kind, fact).is_some() || report.facts.iter().any(|told| told.value == *fact);
            assert!(is_told, "{name}: {fact} {:?}", report.facts);
        }
    }
}

#[test]
fn a_cut_graph_is_not_safe() {
    for name in [
        "onnx-outside-path/ok/inside.onnx",
        "tensorflow-file-access/ok/saved_model.pb",
        "tflite-tensorflow-operator/ok/erf.tflite",
        "coreml-custom-class/ok/network.mlmodel",
        "tensorflow-keras-code/ok/dense.pb",
    ] {
        let bytes = fixture(name);
        for length in [bytes.len() / 4, bytes.len() / 2, bytes.len() - 40] {
            let report = scan(name, &bytes[..length]);
            assert_eq!(report.verdict, Verdict::NotAssessed, "{name} {length}: {report:?}");
        }
    }
}

#[test]
fn a_file_is_looked_at_as_each_reader_would() {
    let model = fixture("onnx-outside-path/ok/inside.onnx");
    // Without the producer and its version, which another reader would take for something else.
    let model = [&model[..2], &model[16..]].concat();
    let attack = fixture("tensorflow-file-access/bad/saved_model.pb");
    let words: Vec<u8> = (0..5000).flat_map(|word| field(1, &field(1, format!("w{word}").as_bytes()))).collect();
    let class = [b"\xda\x22\x08".to_vec(), field(10, b"Attack")].concat();
    for (name, bytes, rule) in [
        ("ONNX first", [&model[..], &attack].concat(), "tensorflow-file-access"),
        ("ONNX last", [&attack[..], &model].concat(), "tensorflow-file-access"),
        ("words first", [&words[..], &attack].concat(), "tensorflow-file-access"),
        (
            "words and an ONNX model",
            [words, fixture("onnx-outside-path/bad/absolute.onnx")].concat(),
            "onnx-outside-path",
        ),
        ("a class behind a model", [&model[..], &class].concat(), "coreml-custom-class"),
    ] {
        let report = scan("model", &bytes);
        assert!(report.findings.iter().any(|finding| finding.rule == rule), "{name}: {report:?}");
    }
}

#[test]
fn a_pickle_in_a_property_is_looked_at() {
    // `posix.system('id')` in base64.
    let pickle = b"gANjcG9zaXgKc3lzdGVtCnEAWAIAAABpZHEBhXECUnEDLg==";
    let property = field(14, &[field(1, b"labels"), field(2, pickle)].concat());
    let report = scan("a.onnx", &[fixture("onnx-outside-path/ok/inside.onnx"), property].concat());
    assert_eq!(report.verdict, Verdict::Unsafe);
    let location = &report.findings[0].location;
    assert_eq!(location.member.as_deref(), Some("metadata_props/labels"));
}

#[test]
fn the_labels_of_a_tflite_model_are_no_mismatch() {
    let with = |name: &str, content: &[u8]| {
        let mut out = std::io::Cursor::new(fixture("tflite-tensorflow-operator/ok/erf.tflite"));
        out.set_position(out.get_ref().len() as u64);
        let mut archive = zip::ZipWriter::new(&mut out);
        archive.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        std::io::Write::write_all(&mut archive, content).unwrap();
        archive.finish().unwrap();
        scan("a.tflite", &out.into_inner())
    };
    let report = with("labels.txt", b"cat\ndog\n");
    assert_eq!((report.verdict, report.kind.as_str()), (Verdict::Safe, "tflite"), "{report:?}");
    assert_eq!(with("data.pkl", b"\x80\x03cposix\nsystem\nX\x02\0\0\0id\x85R.").verdict, Verdict::Unsafe);
}

#[test]
fn tensors_beside_a_model_are_known_by_it() {
    let folder = |location: &str, more: &[(&str, &[u8])]| {
        let model = String::from_utf8_lossy(&fixture("onnx-outside-path/ok/beside.onnx")).contains("weights/w.bin");
        assert!(model);
        let mut files: Vec<(TreePath, Arc<dyn ReadAt>)> = vec![
            (TreePath::new("m/a.onnx").unwrap(), Arc::new(fixture("onnx-outside-path/ok/beside.onnx"))),
            (
                TreePath::new(location).unwrap(),
                Arc::new(b"\0\0\x80\x3f\xff\xfe\xfd\xfc\x01\x02\x03\x04\0\0\0\0".to_vec()),
            ),
        ];
        files.extend(
            more.iter()
                .map(|(path, bytes)| (TreePath::new(path).unwrap(), Arc::new(bytes.to_vec()) as Arc<dyn ReadAt>)),
        );
        Scanner::new().scan_folder(&files)
    };
    let report = folder("m/weights/w.bin", &[]);
    assert_eq!(report.verdict(), Verdict::Safe, "{report:?}");
    assert_eq!(report.subjects[1].kind, "tensor-data");
    // Elsewhere, the same bytes are nobody's.
    assert_eq!(folder("weights/w.bin", &[]).verdict(), Verdict::NotAssessed);
}

#[test]
fn the_numbers_of_a_checkpoint_are_known_by_their_name() {
    let bytes = b"\0\0\x80\x3f\xff\xfe\xfd\xfc\x01\x02\x03\x04\0\0\0\0";
    assert_eq!(scan("variables/variables.data-00000-of-00001", bytes).verdict, Verdict::Safe);
    assert_eq!(scan("variables/variables.bin", bytes).verdict, Verdict::NotAssessed);
    // The name hides nothing.
    let attack = b"\x80\x03cposix\nsystem\nX\x02\0\0\0id\x85R.";
    assert_eq!(scan("variables/variables.data-00000-of-00001", attack).verdict, Verdict::Unsafe);
}

#[test]
fn no_change_of_a_graph_makes_it_panic() {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut random = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % below as u64).unwrap()
    };
    let fixtures = [
        "onnx-outside-path/bad/function.onnx",
        "tensorflow-checkpoint-path/bad/argument.pb",
        "tensorflow-file-access/bad/saved_model.pbtxt",
        "tensorflow-keras-code/bad/in-graph.pb",
        "tflite-tensorflow-operator/bad/print.tflite",
        "coreml-outside-path/bad/weights.mlmodel",
    ]
    .map(fixture);
    for _ in 0..2000 {
        let mut bytes = fixtures[random(fixtures.len())].clone();
        for _ in 0..=random(4) {
            let place = random(bytes.len());
            bytes[place] = u8::try_from(random(256)).unwrap();
        }
        // That it comes to an end is what is asked: many changes leave a model harmless, or as harmful as it was.
        let _ = scan("file", &bytes);
    }
}

#[test]
fn a_graph_of_many_ways_ends() {
    // Each of 1,000 operators saves to what 1,000 nodes hand on: a million steps.
    let node = |name: &str, operator: &str, inputs: &[String]| {
        let inputs: Vec<u8> = inputs.iter().flat_map(|input| field(3, input.as_bytes())).collect();
        field(1, &[field(1, name.as_bytes()), field(2, operator.as_bytes()), inputs].concat())
    };
    let mut bytes = Vec::new();
    for index in 0..1000 {
        bytes.extend(node(&format!("n{index}"), "Identity", &[format!("n{}", index + 1)]));
        bytes.extend(node(&format!("s{index}"), "SaveV2", &["n0".to_owned()]));
    }
    let report = scan("graph.pb", &bytes);
    assert_eq!(report.verdict, Verdict::NotAssessed, "{:?}", report.findings);
    assert!(report.not_assessed[0].reason.contains("longer than is looked at"));
}
