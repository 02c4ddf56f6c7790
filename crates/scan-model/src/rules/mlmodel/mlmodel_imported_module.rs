use sealyard_scan::{Finding, rule};

use super::Artifact;
use crate::inspect::Beside;
use crate::sink::Sink;

rule! {
    /// # What it does
    /// Reports names of modules in files beside an `MLmodel` file, which the loader of its flavor imports, that are not
    /// those which MLflow writes: in `pickle_module_info.txt` of PyTorch and `keras_module.txt` of Keras.
    ///
    /// # Why it matters
    /// `mlflow.pytorch.load_model` imports the module that the file names and unpickles with it, and
    /// `mlflow.tensorflow.load_model` does the same with Keras: a text of a few letters chooses which code runs.
    ///
    /// # What to do
    /// Log the model again with MLflow's own modules.
    id: "mlmodel-imported-module",
    name: "File that names a module to import",
    severity: High,
    summary: "A file of an MLflow model names a module to import that MLflow does not write.",
    help: "Log the model again with MLflow's own modules.",
    references: ["https://mlflow.org/docs/latest/api_reference/python_api/mlflow.pytorch.html"],
}

/// What MLflow writes.
const KNOWN: &[&str] = &[
    "mlflow.pytorch.pickle_module",
    "cloudpickle",
    "dill",
    "pickle",
    "keras",
    "tensorflow.keras",
    "tf_keras",
    "keras.api",
];

pub(super) fn check(model: &Artifact, sink: &mut Sink) {
    for beside in &model.beside {
        if let Beside::Module { file, name } = beside
            && !KNOWN.contains(&name.as_str())
        {
            sink.push(Finding::new(&METADATA, sink.location(), format!("{file} names {name:?}")));
        }
    }
}
