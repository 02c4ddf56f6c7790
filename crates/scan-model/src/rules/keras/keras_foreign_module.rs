use sealyard_core::Severity;
use sealyard_scan::{Finding, rule};

use super::Artifact;
use super::modules::{Owner, owner};
use crate::allow;
use crate::inspect::KerasObject;
use crate::sink::Sink;

rule! {
    /// # What it does
    /// Reports classes and functions in the description of a Keras model whose module belongs neither to Keras nor to a
    /// known library of layers. A class that its author has registered under a name is suspicious, anything else unsafe.
    ///
    /// # Why it matters
    /// Before Keras 3.9 the loader imports the module that the file names and calls what it finds in it with arguments
    /// out of the file, safe mode or not. Modules of Python's own library run programs that way.
    ///
    /// # What to do
    /// Load the model only if you know the module, and with its classes given as `custom_objects`.
    id: "keras-foreign-module",
    name: "Foreign module in a Keras model",
    severity: High,
    summary: "A Keras model names a class or function of a module that is not Keras's.",
    help: "Load the model only if you know the module, with Keras 3.9 or newer.",
    references: ["https://nvd.nist.gov/vuln/detail/CVE-2025-1550"],
}

/// Functions of Keras that have the names of Python's own.
const KERAS_TOO: &[&str] = &["map"];

pub(super) fn check(model: &Artifact<'_>, sink: &mut Sink) {
    for object in &model.objects {
        let Some(module) = object.module else { continue };
        let severity = match owner(module) {
            Owner::Keras | Owner::Program => continue,
            // Functions of Keras are written as if they were Python's own, as are slices and tuples.
            Owner::Python if KERAS_TOO.contains(&object.name()) => continue,
            Owner::Python if !allow::is_dangerous(module, object.name()) => continue,
            Owner::Python => Severity::Critical,
            Owner::Library if object.class != "function" => continue,
            Owner::Library => Severity::Medium,
            Owner::Other if is_type_of_tensors(module, object) => continue,
            Owner::Other => other(module, object),
        };
        let message = format!("{} is {}", object.path, object.full_name());
        let finding = Finding::new(&METADATA, sink.location(), message).severity(severity);
        sink.push(finding.trace([format!("{}({})", object.full_name(), shown(object))]));
    }
}

fn other(module: &str, object: &KerasObject<'_>) -> Severity {
    if allow::is_dangerous(module, object.name()) {
        return Severity::Critical;
    }
    // Keras writes a registered class as `package>name`, and any other class of an author's with its own name.
    let is_registered = object.registered.is_some_and(|name| name.rsplit('>').next() == Some(object.class));
    if is_registered && object.class != "function" && object.class.starts_with(char::is_uppercase) {
        Severity::Medium
    } else {
        Severity::High
    }
}

/// What TensorFlow writes for the types of tensors and for numbers that follow them.
fn is_type_of_tensors(module: &str, object: &KerasObject<'_>) -> bool {
    let is_tensorflow = module == "tensorflow" || module.starts_with("tensorflow.python.framework.");
    is_tensorflow && (object.class == "__typespec__" || object.class.ends_with("Spec") || object.class == "TensorShape")
}

fn shown(object: &KerasObject<'_>) -> String {
    object.config.to_string().chars().take(200).collect()
}
