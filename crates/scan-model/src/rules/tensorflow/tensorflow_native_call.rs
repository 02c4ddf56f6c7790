use sealyard_scan::{Finding, rule};

use super::{Act, Artifact, title};
use crate::sink::Sink;

rule! {
    /// # What it does
    /// Reports operators of a TensorFlow graph that call native code by name (`XlaCustomCallV2`,
    /// `RemoteFusedGraphExecute`) or change the settings of file systems.
    ///
    /// # Why it matters
    /// What they call is not in the model and not part of TensorFlow: it is a library that comes with it.
    ///
    /// # What to do
    /// Save the model again without the operator, or take the library from a source of your own.
    id: "tensorflow-native-call",
    name: "Graph that calls native code",
    severity: Medium,
    summary: "A TensorFlow graph calls native code by name.",
    help: "Save the model again without the operator.",
    references: ["https://www.tensorflow.org/api_docs/python/tf/raw_ops/XlaCustomCallV2"],
}

pub(super) fn check(artifact: &Artifact<'_>, sink: &mut Sink) {
    for (node, _) in artifact.effects().filter(|(_, effect)| effect.act == Act::Native) {
        let message = format!("{} calls native code", title(node));
        sink.push(Finding::new(&METADATA, sink.at(node.offset), message));
    }
}
