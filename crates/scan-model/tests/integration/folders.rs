//! Folders as a whole.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "these are helpers of tests, which are to panic")]

use std::sync::Arc;

use sealyard_core::{ReadAt, TreePath, Verdict};
use sealyard_scan::Report;
use sealyard_scan_model::Scanner;

fn scan(files: &[(&str, &[u8])]) -> Report {
    let files: Vec<(TreePath, Arc<dyn ReadAt>)> = files
        .iter()
        .map(|(path, bytes)| (TreePath::new(path).unwrap(), Arc::new(bytes.to_vec()) as Arc<dyn ReadAt>))
        .collect();
    Scanner::new().scan_folder(&files)
}

fn weights() -> Vec<u8> {
    let header = br#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#;
    [&(header.len() as u64).to_le_bytes()[..], header, &[0; 4]].concat()
}

#[test]
fn shards_that_an_index_names_are_there_and_inside() {
    let index = |name: &str| format!(r#"{{"metadata": {{}}, "weight_map": {{"a": "{name}"}}}}"#).into_bytes();
    let look = |name: &str| {
        let report = scan(&[("m/model.safetensors.index.json", &index(name)), ("m/one.safetensors", &weights())]);
        (report.verdict(), report.not_assessed().map(|missed| missed.path.clone()).collect::<Vec<_>>())
    };
    assert_eq!(look("one.safetensors"), (Verdict::Safe, vec![]));
    assert_eq!(look("./one.safetensors"), (Verdict::Safe, vec![]));
    assert_eq!(look("two.safetensors"), (Verdict::NotAssessed, vec!["m/model.safetensors.index.json".to_owned()]));
    for outside in ["../other.bin", "/tmp/other.bin", "https://example.org/x.bin", "a/../../x.bin"] {
        assert!(matches!(look(outside).0, Verdict::Suspicious | Verdict::Unsafe), "{outside}");
    }
}

#[test]
fn a_pickle_beside_the_same_weights_is_told() {
    let report = scan(&[("model.safetensors", &weights()), ("pytorch_model.bin", b"\x80\x04}.")]);
    let subject = &report.subjects[1];
    assert_eq!((report.verdict(), subject.path.as_str()), (Verdict::Safe, "pytorch_model.bin"));
    assert!(subject.facts.iter().any(|fact| fact.value == "model.safetensors"), "{:?}", subject.facts);
}

#[test]
fn paths_of_examples_and_environments_stay_inside() {
    let look = |more: &str| {
        let text = format!("flavors:\n  python_function:\n    loader_module: mlflow.sklearn\n{more}");
        scan(&[("MLmodel", text.as_bytes())]).verdict()
    };
    assert_eq!(look("    env: {conda: conda.yaml, virtualenv: python_env.yaml}\n"), Verdict::Safe);
    assert_eq!(look("    env: ../conda.yaml\n"), Verdict::Unsafe);
    assert_eq!(look("    env: {conda: /tmp/conda.yaml}\n"), Verdict::Unsafe);
    assert_eq!(look("    artifacts: {a: {path: artifacts/a, uri: /home/ada/a}}\n"), Verdict::Safe);
    assert_eq!(look("    artifacts: {a: {path: ../../a, uri: x}}\n"), Verdict::Unsafe);
    assert_eq!(look("saved_input_example_info: {artifact_path: input_example.json}\n"), Verdict::Safe);
    assert_eq!(look("saved_input_example_info: {artifact_path: ../../etc/x}\n"), Verdict::Unsafe);
}

#[test]
fn what_is_named_an_example_and_is_a_pickle_is_one() {
    let report =
        scan(&[("MLmodel", b"flavors: {}\n"), ("input_example.json", b"\x80\x04cos\nsystem\n\x8c\x02id\x85R.")]);
    assert_eq!(report.verdict(), Verdict::Unsafe);
}
