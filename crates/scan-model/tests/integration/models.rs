//! Keras models, HDF5, R's values and XML: what is told of them, and what their readers meet.

use std::fs;
use std::io::{Cursor, Write as _};
use std::sync::Arc;

use sealyard_core::{ReadAt, TreePath, Verdict};
use sealyard_scan::{FactKind, SubjectReport};
use sealyard_scan_model::Scanner;

use crate::corpus::root;

fn fixture(path: &str) -> Vec<u8> {
    let bytes = fs::read(root().join(path)).unwrap_or_default();
    assert!(!bytes.is_empty(), "{path} is not there");
    bytes
}

fn scan(name: &str, bytes: &[u8]) -> SubjectReport {
    Scanner::new().scan_file(name, &bytes.to_vec())
}

fn has(report: &SubjectReport, kind: FactKind, name: &str) -> bool {
    report.facts.iter().any(|fact| fact.kind == kind && fact.name == name)
}

/// A file of HDF5 as PyTables writes it, with `bytes` in place of a text of the same length in an attribute.
fn with_attribute(bytes: &[u8]) -> Vec<u8> {
    let file = fixture("hdf5-outside-data/ok/plain.h5");
    let text = b"A text that ends as a pickle does.";
    let place = file.windows(text.len()).position(|window| window == text);
    assert!(place.is_some(), "the text is not in the file");
    let place = place.unwrap_or_default();
    let (before, rest) = file.split_at(place);
    let behind = rest.get(text.len()..).unwrap_or_default();
    [before, bytes, &vec![0; text.len() - bytes.len()], behind].concat()
}

#[test]
fn what_a_model_is_made_of_is_told() {
    let archive = scan("model.keras", &fixture("keras-torch-module/ok/dense.keras"));
    assert_eq!((archive.kind.as_str(), archive.verdict), ("keras", Verdict::Safe));
    for (kind, name) in [
        (FactKind::Framework, "keras"),
        (FactKind::Architecture, "Sequential"),
        (FactKind::Layer, "Dense"),
        (FactKind::Tensors, "float32"),
        (FactKind::Signature, "input"),
        (FactKind::Hyperparameter, "loss"),
    ] {
        assert!(has(&archive, kind, name), "{name}: {:?}", archive.facts);
    }
    let legacy = scan("model.h5", &fixture("keras-unsafe-function/ok/add.h5"));
    assert_eq!((legacy.kind.as_str(), legacy.verdict), ("keras", Verdict::Safe));
    assert!(has(&legacy, FactKind::Framework, "keras") && has(&legacy, FactKind::Layer, "TFOpLambda"));
    let values = scan("model.rds", &fixture("r-dangerous-call/ok/function.rds"));
    assert_eq!((values.kind.as_str(), values.verdict), ("r-data", Verdict::Safe));
    assert!(has(&values, FactKind::Framework, "R"));
    let pmml = scan("model.pmml", &fixture("xml-script/ok/version.pmml"));
    assert_eq!((pmml.kind.as_str(), pmml.verdict), ("pmml", Verdict::Safe));
    assert!(has(&pmml, FactKind::Estimator, "RegressionModel"));
    let graph = scan("model.xml", &fixture("xml-outside-file/ok/graph.xml"));
    assert!(has(&graph, FactKind::Layer, "Const"));
}

#[test]
fn attributes_that_pytables_unpickles_are_followed() {
    for pickle in [&b"cos\nsystem\n(S'id'\ntR."[..], b"\x80\x02cos\nsystem\nU\x02id\x85R."] {
        let report = scan("frame.h5", &with_attribute(pickle));
        assert_eq!(report.verdict, Verdict::Unsafe, "{report:?}");
        assert!(report.findings.iter().any(|finding| finding.location.member.as_deref() == Some("/@text")));
    }
    // pandas keeps lists like this one.
    assert_eq!(scan("frame.h5", &with_attribute(b"(lp0\nI1\na(S'a'\ntp1\na.")).verdict, Verdict::Safe);
}

#[test]
fn an_archive_of_keras_is_read_by_its_content() {
    // Keras reads `config.json` whatever else there is, and whatever the file is called.
    let mut out = Cursor::new(Vec::new());
    let mut archive = ::zip::ZipWriter::new(&mut out);
    let options = ::zip::write::SimpleFileOptions::default();
    archive.start_file("config.json", options).unwrap();
    archive.write_all(br#"{"class_name": "Model", "a": NaN, "config": {"class_name": "function", "config": "system", "module": "os"}}"#).unwrap();
    archive.start_file("metadata.json", options).unwrap();
    archive.write_all(b"{}").unwrap();
    archive.finish().unwrap();
    assert_eq!(scan("file", &out.into_inner()).verdict, Verdict::Unsafe);
    // The same as text, with the number first.
    let text = br#"{"a": NaN, "class_name": "Model", "config": {"class_name": "function", "config": "system", "module": "os"}}"#;
    assert_eq!(scan("file", text).verdict, Verdict::Unsafe);
}

#[test]
fn a_drawing_is_no_model() {
    let kind = "svg PUBLIC \"-//W3C//DTD SVG 1.1//EN\" \"http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd\"";
    let drawing = format!("<?xml version='1.0'?><!DOCTYPE {kind}><svg><script language='js'>x()</script></svg>");
    assert_eq!(scan("plot.svg", drawing.as_bytes()).verdict, Verdict::Safe);
    let inner = drawing.replace("svg>", "net>").replace("<svg", "<net version='11'");
    assert_eq!(scan("plot.xml", inner.as_bytes()).verdict, Verdict::Unsafe);
}

#[test]
fn a_block_of_any_bytes_hides_no_hdf5() {
    let inner = fixture("hdf5-outside-data/bad/link.h5");
    let block = [&b"MATLAB 7.3 MAT-file"[..], &[0; 493]].concat();
    let report = scan("data.mat", &[block.clone(), inner].concat());
    assert_eq!(report.verdict, Verdict::Unsafe);
    let plain = fixture("hdf5-outside-data/ok/plain.h5");
    let report = scan("data.mat", &[block.clone(), plain.clone()].concat());
    assert_eq!((report.kind.as_str(), report.verdict), ("hdf5", Verdict::Safe), "{report:?}");
    let pickle = [&b"cos\nsystem\n(S'id'\ntR."[..], &[0; 512 - 23 + 1]].concat();
    assert_eq!(scan("data.mat", &[pickle, plain].concat()).verdict, Verdict::Unsafe);
}

#[test]
fn weights_of_openvino_are_told_by_the_graph_beside_them() {
    let graph: Arc<dyn ReadAt> = Arc::new(fixture("xml-outside-file/ok/graph.xml"));
    let weights: Arc<dyn ReadAt> = Arc::new(vec![0_u8, 0, 128, 63]);
    let path = |name: &str| TreePath::new(name).unwrap();
    let files = [(path("m/model.bin"), Arc::clone(&weights)), (path("m/model.xml"), Arc::clone(&graph))];
    assert_eq!(Scanner::new().scan_folder(&files).verdict(), Verdict::Safe);
    let files = [(path("m/other.bin"), weights), (path("m/model.xml"), Arc::clone(&graph))];
    assert_eq!(Scanner::new().scan_folder(&files).verdict(), Verdict::NotAssessed);
    let pickle: Arc<dyn ReadAt> = Arc::new(b"cos\nsystem\n(S'id'\ntR.".to_vec());
    let files = [(path("m/model.bin"), pickle), (path("m/model.xml"), graph)];
    assert_eq!(Scanner::new().scan_folder(&files).verdict(), Verdict::Unsafe);
}

#[test]
fn what_is_broken_is_never_safe() {
    for (name, keep) in [
        ("hdf5-outside-data/ok/plain.h5", 600),
        ("keras-torch-module/ok/dense.keras", 300),
        ("r-dangerous-call/ok/function.rds", 40),
        ("xml-outside-file/ok/graph.xml", 60),
    ] {
        let bytes = fixture(name);
        assert_eq!(scan(name, &bytes).verdict, Verdict::Safe, "{name}");
        assert_ne!(scan(name, &bytes[..keep]).verdict, Verdict::Safe, "{name}");
    }
    let trailing = [fixture("r-dangerous-call/ok/function.rds"), b"more".to_vec()].concat();
    assert_eq!(scan("x.rds", &trailing).verdict, Verdict::NotAssessed);
    assert_eq!(scan("m.yaml", b"class_name: [\nconfig: {\n").verdict, Verdict::NotAssessed);
}

#[test]
fn a_document_as_wide_and_deep_as_it_may_be_ends() {
    let deep = format!(r#"{{"class_name": "a", "config": {}1{}}}"#, r#"{"x":["#.repeat(100_000), "]}".repeat(100_000));
    assert_eq!(scan("model.json", deep.as_bytes()).verdict, Verdict::NotAssessed);
    let layers: Vec<_> = (0..50_000).map(|n| format!(r#"{{"class_name":"L{n}","config":{{"a":[{n}]}}}}"#)).collect();
    let wide = format!(r#"{{"class_name": "Sequential", "config": {{"layers": [{}]}}}}"#, layers.join(","));
    let report = scan("model.json", wide.as_bytes());
    assert_eq!(report.verdict, Verdict::Safe);
    assert!(report.facts.len() < 1000);
    let xml = format!("<net version='11'>{}</net>", "<layer type='Add'/>".repeat(100_000));
    assert_eq!(scan("model.xml", xml.as_bytes()).verdict, Verdict::Safe);
}
