use sealyard_scan::{Finding, rule};

use super::Artifact;
use crate::path::leaves;
use crate::sink::Sink;

rule! {
    /// # What it does
    /// Looks at the names of files that a TensorFlow Lite model keeps tensors in (`external_buffer_groups`). Absolute
    /// names, `..` and URLs are findings.
    ///
    /// # Why it matters
    /// The runtime maps the file into memory as the numbers of a tensor. With a name that leaves the model's folder it
    /// reads any file of the machine.
    ///
    /// # What to do
    /// Convert the model again, with its tensors in the file or in files beside it.
    id: "tflite-outside-path",
    name: "Tensor outside of the model's folder",
    severity: High,
    summary: "A TensorFlow Lite model takes tensors from a file outside of its folder.",
    help: "Convert the model again, with its tensors in the file or beside it.",
    references: ["https://github.com/google-ai-edge/LiteRT"],
}

pub(super) fn check(artifact: &Artifact<'_>, sink: &mut Sink) {
    for (file, offset) in artifact.model.files.iter().filter(|(file, _)| leaves(file)) {
        let message = format!("tensors are taken from a file outside of the model's folder: {file}");
        sink.push(Finding::new(&METADATA, sink.at(*offset), message));
    }
}
