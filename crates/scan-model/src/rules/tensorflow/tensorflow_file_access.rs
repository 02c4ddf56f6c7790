use sealyard_core::Severity;
use sealyard_scan::{Finding, rule};

use super::{Act, Artifact, title};
use crate::sink::Sink;

rule! {
    /// # What it does
    /// Reports operators of a TensorFlow graph, functions included, that read, list or write files: `ReadFile`,
    /// `WriteFile`, `MatchingFiles`, readers and data sets of files, logs, tables and tensors that are read from an
    /// absolute path, prints to a file.
    ///
    /// # Why it matters
    /// A graph is a program. When it is loaded, or when the model is asked for the first prediction, these operators read
    /// any file that the process can read into a tensor, or write one where it can write: a start script, a key.
    ///
    /// # What to do
    /// Save the model again without the operator; give it the content of files as an input.
    id: "tensorflow-file-access",
    name: "Graph that reads or writes files",
    severity: High,
    summary: "A TensorFlow graph has an operator that reads, lists or writes files.",
    help: "Save the model again without the operator.",
    references: [
        "https://github.com/tensorflow/tensorflow/blob/master/SECURITY.md",
        "https://www.tensorflow.org/api_docs/python/tf/raw_ops/ReadFile",
    ],
}

/// Begins the names of parts of a packed model.
const PACKAGE: &str = "memmapped_package://";

pub(super) fn check(artifact: &Artifact<'_>, sink: &mut Sink) {
    for (node, effect) in artifact.effects() {
        let (act, is_certain) = match effect.act {
            Act::Read => ("reads or lists files", true),
            Act::Write => ("writes files", true),
            // Without a path of its own it reads what it is given, as in training.
            Act::Data => ("reads files", false),
            Act::Table => ("reads a file when the model is loaded", false),
            Act::Log => ("writes files", false),
            Act::Memory => ("maps a file", false),
            Act::Print => ("prints to a file", false),
            _ => continue,
        };
        let outside = artifact.outside(node, effect).filter(|path| !path.starts_with(PACKAGE));
        let severity = match (is_certain || outside.is_some(), effect.act) {
            (true, _) => Severity::High,
            (false, Act::Data | Act::Log) => Severity::Medium,
            (false, _) => continue,
        };
        let place = outside.map(|path| format!(": {path}")).unwrap_or_default();
        let message = format!("{} {act}{place}", title(node));
        sink.push(Finding::new(&METADATA, sink.at(node.offset), message).severity(severity));
    }
}
