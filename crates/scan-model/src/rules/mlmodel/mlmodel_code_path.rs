use sealyard_core::Severity;
use sealyard_scan::{Finding, rule};
use serde_json::Value;

use super::Artifact;
use crate::allow;
use crate::sink::Sink;

rule! {
    /// # What it does
    /// Reports an `MLmodel` file that brings Python code: a `code` directory, or a model script (`model_code_path`).
    /// It is worse when a module in the directory has the name of a library that loading imports.
    ///
    /// # Why it matters
    /// `load_model` puts the directory at the front of `sys.path`, so each import that follows may come from it, and
    /// a model script is run. This scanner reads model files, not Python.
    ///
    /// # What to do
    /// Review the code and scan it with `sealyard scan code`, or package it and pin it as a requirement.
    id: "mlmodel-code-path",
    name: "Model brings its own code",
    severity: Medium,
    summary: "An MLmodel file puts its own Python code on the import path or runs it.",
    help: "Review the code, or install it as a pinned requirement instead.",
    references: ["https://mlflow.org/docs/latest/ml/model/dependencies/"],
}

pub(super) fn check(model: &Artifact, sink: &mut Sink) {
    for (name, flavor) in model.flavors() {
        for key in ["code", "model_code_path", "code_path", "code_paths"] {
            match flavor.get(key) {
                None | Some(Value::Null) => {}
                Some(path) => {
                    let message = format!("the flavor {name} has {key}: {path}");
                    sink.push(Finding::new(&METADATA, sink.location(), message));
                }
            }
        }
    }
    let shadows = model.modules.iter().flatten().filter(|module| allow::is_top_level(module));
    for module in shadows {
        let message =
            format!("its code directory has a module {module}, which loading would import instead of the library");
        sink.push(Finding::new(&METADATA, sink.location(), message).severity(Severity::High));
    }
}
