use sealyard_scan::{Finding, rule};
use serde_json::Value;

use super::Artifact;
use crate::allow;
use crate::sink::Sink;

rule! {
    /// # What it does
    /// Compares the `loader_module` of each flavor in an `MLmodel` file with the loaders that MLflow itself ships.
    ///
    /// # Why it matters
    /// `mlflow.pyfunc.load_model` imports that module and calls its `_load_pyfunc`. Whoever writes the file chooses
    /// which code runs, before any weight is read.
    ///
    /// # What to do
    /// Log the model with a flavor of MLflow, or add the loader to your own reviewed code and load the model with it.
    id: "mlmodel-loader-module",
    name: "Loader module outside MLflow",
    severity: High,
    summary: "An MLmodel file names a loader module that MLflow does not ship.",
    help: "Log the model again with one of MLflow's own flavors.",
    references: ["https://mlflow.org/docs/latest/ml/model/"],
}

pub(super) fn check(model: &Artifact, sink: &mut Sink) {
    for (name, flavor) in model.flavors() {
        let Some(loader) = flavor.get("loader_module") else { continue };
        let message = match loader {
            Value::String(module) if allow::is_loader(module) => continue,
            Value::String(module) => format!("the flavor {name} is loaded by the module {module}"),
            _ => format!("the flavor {name} has a loader module that is no text"),
        };
        sink.push(Finding::new(&METADATA, sink.location(), message));
    }
}
