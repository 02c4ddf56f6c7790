use sealyard_core::Severity;
use sealyard_scan::{Finding, rule};
use serde_json::Value;

use super::Artifact;
use crate::sink::Sink;

rule! {
    /// # What it does
    /// Looks at the descriptions of Keras's layers in a SavedModel: `Lambda` layers, functions as bytecode, layers that
    /// call a function of TensorFlow which reads or writes files, and classes from modules other than Keras's and
    /// TensorFlow's.
    ///
    /// # Why it matters
    /// `keras.models.load_model` makes the layers again from these descriptions. The bytecode of a lambda is Python that
    /// runs when it does so, and a module that is named is imported.
    ///
    /// # What to do
    /// Replace the lambda by a layer of Keras or by a class of your own that you register, and save the model again.
    id: "tensorflow-keras-code",
    name: "Code in a Keras layer",
    severity: High,
    summary: "A Keras layer in a TensorFlow SavedModel holds or names code.",
    help: "Replace the layer and save the model again.",
    references: [
        "https://keras.io/api/layers/core_layers/lambda/",
        "https://nvd.nist.gov/vuln/detail/CVE-2024-3660",
    ],
}

/// Packages that the classes of layers are from.
const PACKAGES: &[&str] =
    &["builtins", "keras", "keras_core", "keras_cv", "keras_hub", "keras_nlp", "keras_tuner", "tensorflow", "tf_keras"];
/// Functions of TensorFlow that read, write or call: by their names or the beginning of them.
const FUNCTIONS: &[&str] = &[
    "data.",
    "debugging.experimental",
    "dynamic_load",
    "io.",
    "load_",
    "numpy_function",
    "print",
    "py_func",
    "raw_ops.",
    "saved_model.",
    "summary.",
    "train.",
];
/// Functions among these that do no harm.
const PLAIN: &[&str] = &["io.decode_", "io.encode_", "io.parse_", "io.serialize_", "io.decompress"];

pub(super) fn check(artifact: &Artifact<'_>, sink: &mut Sink) {
    for (path, offset, object) in &artifact.objects {
        let mut pending = vec![object];
        while let Some(value) = pending.pop() {
            match value {
                Value::Array(items) => pending.extend(items),
                Value::Object(fields) => {
                    if let Some((message, severity)) = code(value) {
                        let message = format!("the layer {path} {message}");
                        sink.push(Finding::new(&METADATA, sink.at(*offset), message).severity(severity));
                    }
                    pending.extend(fields.values());
                }
                _ => {}
            }
        }
    }
}

/// What is wrong with one object's class, if something is.
fn code(object: &Value) -> Option<(String, Severity)> {
    let text = |key: &str| object.get(key).and_then(Value::as_str).unwrap_or_default();
    let class = text("class_name").rsplit('>').next().unwrap_or_default();
    if class == "Lambda" {
        return Some(("is a Lambda".to_owned(), Severity::High));
    }
    if class == "__lambda__" {
        return Some(("holds bytecode".to_owned(), Severity::High));
    }
    if matches!(class, "TFOpLambda" | "SlicingOpLambda" | "ClassMethod" | "InstanceMethod" | "InstanceProperty") {
        let function = object.get("config").and_then(|config| config.get("function")).and_then(Value::as_str);
        let name = function.unwrap_or_default().trim_start_matches("tf.").trim_start_matches("compat.v1.");
        let starts = |list: &[&str]| list.iter().any(|start| name.starts_with(start));
        if starts(FUNCTIONS) && !starts(PLAIN) {
            return Some((format!("calls the function {name} of TensorFlow"), Severity::High));
        }
    }
    let module = text("module");
    let package = module.split('.').next().unwrap_or_default();
    if !class.is_empty() && !module.is_empty() && !PACKAGES.contains(&package) {
        return Some((format!("is {class} of the module {module}"), Severity::Medium));
    }
    None
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_code_is_told() {
        for good in [
            json!({"class_name": "Dense", "config": {"units": 3}}),
            json!({"class_name": "TFOpLambda", "config": {"function": "nn.relu"}}),
            json!({"class_name": "TFOpLambda", "config": {"function": "io.decode_jpeg"}}),
            json!({"class_name": "GlorotUniform", "module": "keras.initializers", "config": {}}),
            json!({"class_name": "Own>Layer", "config": {}}),
        ] {
            assert_eq!(code(&good), None, "{good}");
        }
        for bad in [
            json!({"class_name": "Lambda", "config": {}}),
            json!({"class_name": "keras.layers>Lambda", "config": {}}),
            json!({"class_name": "__lambda__", "config": {"value": "4wEA"}}),
            json!({"class_name": "TFOpLambda", "config": {"function": "io.write_file"}}),
            json!({"class_name": "TFOpLambda", "config": {"function": "compat.v1.py_func"}}),
            json!({"class_name": "system", "module": "os", "config": "id"}),
        ] {
            assert!(code(&bad).is_some(), "{bad}");
        }
    }
}
