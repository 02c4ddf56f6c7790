use sealyard_core::TreePath;
use sealyard_scan::{Finding, rule};
use serde_json::Value;

use super::Artifact;
use crate::sink::Sink;

rule! {
    /// # What it does
    /// Reports paths in an `MLmodel` file that lead out of the model's folder: absolute ones, `..`, backslashes, URLs. Of
    /// `model_code_path`, which MLflow writes as it was on the author's machine, only the last part counts, as when MLflow
    /// loads it.
    ///
    /// # Why it matters
    /// The flavor loads what the path names. A file outside the folder is in no manifest, has not been scanned, and can
    /// be exchanged at any time.
    ///
    /// # What to do
    /// Log the model again, so that all its files lie in its folder.
    id: "mlmodel-outside-path",
    name: "Path out of the model's folder",
    severity: High,
    summary: "An MLmodel file names a file outside of the model's folder.",
    help: "Log the model again, so that all its files lie in its folder.",
    references: ["https://mlflow.org/docs/latest/ml/model/"],
}

/// Keys of MLflow's flavors whose value is a path that loading opens.
const KEYS: &[&str] = &[
    "artifact_path",
    "code",
    "code_path",
    "config_path",
    "custom_objects",
    "data",
    "loader_arg_path",
    "model_binary",
    "model_data",
    "model_path",
    "path",
    "pickled_model",
    "python_model",
    "saved_model_dir",
    "serving_input_path",
    "tool_data",
];
/// The key whose value is a path of the author's machine: MLflow opens the file of that name in the model's folder.
const SCRIPT: &str = "model_code_path";
/// Deepest nesting of a flavor's own tables.
const MAX_DEPTH: usize = 8;

/// What stands beside the flavors and names files as well.
const TOP: &[&str] = &["saved_input_example_info", "signature_info", "model_config"];

pub(super) fn check(model: &Artifact, sink: &mut Sink) {
    for (name, flavor) in model.flavors() {
        look(&format!("the flavor {name}"), flavor, 0, sink);
    }
    for name in TOP {
        if let Some(value) = model.document.get(name) {
            look(name, value, 0, sink);
        }
    }
    for file in model.environments().into_iter().filter(|file| leaves(file)) {
        sink.push(Finding::new(&METADATA, sink.location(), format!("the environment is {file}")));
    }
}

fn look(flavor: &str, value: &Value, depth: usize, sink: &mut Sink) {
    let Value::Object(table) = value else { return };
    for (key, value) in table {
        match value {
            Value::String(path)
                if (KEYS.contains(&key.as_str()) && leaves(path)) || (key == SCRIPT && !names_a_file(path)) =>
            {
                let message = format!("{flavor} has {key}: {path}");
                sink.push(Finding::new(&METADATA, sink.location(), message));
            }
            Value::Object(_) if depth < MAX_DEPTH => look(flavor, value, depth + 1, sink),
            _ => {}
        }
    }
}

/// `.` and a `/` at the end stay inside the folder.
fn leaves(path: &str) -> bool {
    let path = path.strip_prefix("./").unwrap_or(path);
    let path = path.strip_suffix('/').unwrap_or(path);
    !path.is_empty() && path != "." && (TreePath::new(path).is_err() || path.contains("://"))
}

/// Whether the last part of `path`, of whichever system, is the name of a file.
fn names_a_file(path: &str) -> bool {
    let name = path.rsplit(['/', '\\']).next().unwrap_or_default();
    name != "." && TreePath::new(name).is_ok()
}

#[cfg(test)]
mod tests {
    #[test]
    fn of_a_script_the_last_part_counts() {
        for path in ["model.py", "/home/ada/model.py", "C:\\Users\\ada\\model.py", "../model.py"] {
            assert!(super::names_a_file(path), "{path}");
        }
        for path in ["", "/", "/tmp/", "..", "/tmp/..", "a\\..", "."] {
            assert!(!super::names_a_file(path), "{path}");
        }
    }

    #[test]
    fn only_plain_paths_stay() {
        for path in ["model.pkl", "data/model", "./model.pkl", ".", "code/", "artifacts/a b.bin"] {
            assert!(!super::leaves(path), "{path}");
        }
        for path in [
            "/etc/model.pkl",
            "../model.pkl",
            "a/../../b",
            "\\\\host\\share",
            "C:/x",
            "s3://bucket/x",
            "./../x",
            "//host/x",
        ] {
            assert!(super::leaves(path), "{path}");
        }
    }
}
