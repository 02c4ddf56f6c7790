use sealyard_core::Severity;
use sealyard_scan::{Finding, rule};
use serde_json::Value;

use super::Artifact;
use super::modules;
use crate::inspect::KerasObject;
use crate::sink::Sink;

rule! {
    /// # What it does
    /// Reports functions of Keras and TensorFlow in the description of a model that no layer needs: those that download
    /// and unpack files, load other models, turn the safe mode off, or read and write files.
    ///
    /// # Why it matters
    /// The safe mode trusts all of Keras's own names. A layer that calls `keras.utils.get_file` with arguments out of the
    /// file fetches an archive and writes its members; `enable_unsafe_deserialization` lets the rest of the file run code.
    ///
    /// # What to do
    /// Do not load the model.
    id: "keras-unsafe-function",
    name: "Function that no layer needs",
    severity: High,
    summary: "A Keras model names a function of Keras or TensorFlow that reaches files, hosts or the loader itself.",
    help: "Do not load the model.",
    references: [
        "https://nvd.nist.gov/vuln/detail/CVE-2025-8747",
        "https://nvd.nist.gov/vuln/detail/CVE-2025-9906",
        "https://nvd.nist.gov/vuln/detail/CVE-2025-12060",
    ],
}

/// Parts of Keras that hold no layers or what belongs to them.
const PARTS: &[&str] = &[
    "callbacks",
    "config",
    "datasets",
    "distribution",
    "export",
    "legacy.saving",
    "preprocessing",
    "saving",
    "testing",
    "trainers",
    "tree",
    "utils",
    "visualization",
    "wrappers",
];
/// What a model may name in them nevertheless.
const CLASSES: &[&str] = &["Cropper", "Feature", "FeatureSpace", "Progbar", "SklearnClassifier", "SklearnRegressor"];
/// The classes of `keras.models`; its functions load and write models.
const MODELS: &[&str] =
    &["Functional", "Model", "Sequential", "SharpnessAwareMinimization", "WideDeepModel", "LinearModel"];
/// Functions wherever they are.
const FUNCTIONS: &[&str] = &[
    "clone_model",
    "custom_object_scope",
    "deserialize",
    "deserialize_keras_object",
    "enable_unsafe_deserialization",
    "extract_archive",
    "func_load",
    "get_file",
    "load_data",
    "load_model",
    "load_weights",
    "model_from_config",
    "model_from_json",
    "model_from_yaml",
    "save_model",
    "save_weights",
    "set_backend",
];
/// Operations of TensorFlow, by the beginnings of their names, that reach files or run code of Python.
const OPERATIONS: &[&str] = &[
    "compat.v1.py_func",
    "data.",
    "debugging.experimental",
    "io.gfile",
    "io.matching_files",
    "io.read_file",
    "io.write_",
    "keras.",
    "load_library",
    "load_op_library",
    "numpy_function",
    "py_function",
    "raw_ops.EagerPyFunc",
    "raw_ops.MatchingFiles",
    "raw_ops.PyFunc",
    "raw_ops.ReadFile",
    "raw_ops.Save",
    "raw_ops.WriteFile",
    "saved_model.",
    "summary.",
    "train.",
];

pub(super) fn check(model: &Artifact<'_>, sink: &mut Sink) {
    for object in &model.objects {
        let name = if object.class == "TFOpLambda" || object.class == "TensorFlowOpLayer" {
            match operation(object) {
                Some(name) if OPERATIONS.iter().any(|start| name.starts_with(start)) => format!("tf.{name}"),
                _ => continue,
            }
        } else if is_unsafe(object) {
            object.full_name()
        } else {
            continue;
        };
        let message = format!("{} is {name}", object.path);
        let shown: String = object.config.to_string().chars().take(200).collect();
        let finding = Finding::new(&METADATA, sink.location(), message).severity(Severity::High);
        sink.push(finding.trace([format!("{name}({shown})")]));
    }
}

/// The operation that a layer stands for.
fn operation<'v>(object: &KerasObject<'v>) -> Option<&'v str> {
    let direct = object.config.get("function").and_then(Value::as_str);
    direct.or_else(|| object.config.pointer("/node_def/op").and_then(Value::as_str))
}

fn is_unsafe(object: &KerasObject<'_>) -> bool {
    let name = object.name();
    let Some(module) = object.module else { return false };
    let (path, last) = name.rsplit_once('.').unwrap_or(("", name));
    let Some(part) = modules::part(module) else { return module == "builtins" && FUNCTIONS.contains(&last) };
    if FUNCTIONS.contains(&last) {
        return true;
    }
    if CLASSES.contains(&last) {
        return false;
    }
    // Keras looks a name up behind its module, and takes names with dots.
    let part = [part, path].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(".");
    let is_in = |names: &[&str]| {
        names.iter().any(|name| part.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('.')))
    };
    if is_in(&["models"]) {
        return !MODELS.contains(&last);
    }
    if is_in(&["applications"]) {
        return object.class == "function" && last.starts_with(char::is_uppercase);
    }
    is_in(PARTS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_layer_needs_is_found_however_it_is_named() {
        let is = |module: &'static str, class: &'static str, name: &str| {
            let config = Value::String(name.to_owned());
            let object =
                KerasObject { path: String::new(), module: Some(module), class, registered: None, config: &config };
            is_unsafe(&object)
        };
        for (module, class, name) in [
            ("keras.utils", "function", "get_file"),
            ("keras", "function", "utils.set_random_seed"),
            ("keras", "utils.Sequence", ""),
            ("keras.src.saving.saving_lib", "function", "anything"),
            ("tf_keras.src.utils.data_utils", "function", "get_file"),
            ("keras.models", "function", "clone_model"),
            ("keras.applications", "function", "VGG16"),
            ("keras.layers", "function", "deserialize"),
            ("keras.callbacks", "CSVLogger", ""),
        ] {
            assert!(is(module, class, name), "{module} {class} {name}");
        }
        for (module, class, name) in [
            ("keras.layers", "Dense", ""),
            ("keras", "Sequential", ""),
            ("keras.src.models.functional", "Functional", ""),
            ("keras.utils", "FeatureSpace", ""),
            ("keras.activations", "function", "gelu"),
            ("keras.src.ops.numpy", "Add", ""),
            ("builtins", "function", "relu"),
        ] {
            assert!(!is(module, class, name), "{module} {class} {name}");
        }
    }
}
