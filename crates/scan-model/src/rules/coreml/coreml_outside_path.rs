use sealyard_scan::{Finding, rule};

use super::Artifact;
use crate::path::leaves;
use crate::sink::Sink;

rule! {
    /// # What it does
    /// Looks at the paths that a Core ML model names: files of weights, models that it is linked with, and where these are
    /// looked for. Absolute paths, `..` and URLs are findings.
    ///
    /// # Why it matters
    /// Core ML reads what is there as part of the model. A file outside of the model's package is in no manifest, has not
    /// been scanned, and can be exchanged at any time.
    ///
    /// # What to do
    /// Convert the model again, with its weights in its own package.
    id: "coreml-outside-path",
    name: "Path out of the model's package",
    severity: High,
    summary: "A Core ML model names a file outside of its package.",
    help: "Convert the model again, with its weights in its own package.",
    references: ["https://apple.github.io/coremltools/mlmodel/Format/LinkedModel.html"],
}

/// Stands for the package of the model.
const PACKAGE: &str = "@model_path/";

pub(super) fn check(model: &Artifact, sink: &mut Sink) {
    for file in model.files.values() {
        // A search path is a list.
        let mut paths = file.name.split(if file.by == "search path" { ':' } else { '\0' });
        if paths.any(|path| leaves(path.strip_prefix(PACKAGE).unwrap_or(path))) {
            let message = format!("a {} lies outside of the model's package: {}", file.by, file.name);
            sink.push(Finding::new(&METADATA, sink.at(file.offset), message));
        }
    }
}
