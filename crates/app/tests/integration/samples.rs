//! Files of models, good and bad.

use std::path::PathBuf;

pub(crate) const MLMODEL: &[u8] = b"flavors:
  python_function:
    loader_module: mlflow.sklearn
    model_path: weights.txt
    predict_fn: predict
mlflow_version: 3.6.0
";

/// Harmless alone; with a code directory that has a library's name it is not.
pub(crate) const MLMODEL_WITH_CODE: &[u8] = b"flavors:
  python_function:
    code: code
    loader_module: mlflow.sklearn
    model_path: weights.txt
    predict_fn: predict
mlflow_version: 3.6.0
";

/// What makes [`MLMODEL_WITH_CODE`] unsafe.
pub(crate) const SHADOW: &str = "code/sklearn/__init__.py";

pub(crate) const WEIGHTS: &[u8] = b"0.5 0.25 1.0\n";

/// A joblib file that runs a command when it is loaded.
pub(crate) fn malicious() -> Vec<u8> {
    let corpus = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../corpus");
    std::fs::read(corpus.join("pickle-dangerous-global/bad/seed-003.joblib")).unwrap()
}
