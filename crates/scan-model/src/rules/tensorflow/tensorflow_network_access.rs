use sealyard_scan::{Finding, rule};

use super::{Act, Artifact, title};
use crate::sink::Sink;

rule! {
    /// # What it does
    /// Reports operators of a TensorFlow graph that talk to other machines (`RpcCall`, `DataServiceDataset`,
    /// `BigQueryReader`), and debugging operators with an address (`DebugIdentity` with `grpc://` or `file://`).
    ///
    /// # Why it matters
    /// They send what the graph sees, the inputs of your users or a file that was read before, to whom the author of the
    /// model has chosen.
    ///
    /// # What to do
    /// Save the model again without the operator.
    id: "tensorflow-network-access",
    name: "Graph that talks to other machines",
    severity: High,
    summary: "A TensorFlow graph has an operator that talks to another machine.",
    help: "Save the model again without the operator.",
    references: ["https://www.tensorflow.org/api_docs/python/tf/raw_ops/DebugIdentityV2"],
}

pub(super) fn check(artifact: &Artifact<'_>, sink: &mut Sink) {
    for (node, effect) in artifact.effects() {
        let message = match effect.act {
            Act::Network => format!("{} talks to other machines", title(node)),
            Act::Debug => match artifact.outside(node, effect) {
                Some(address) => format!("{} sends what it sees to {address}", title(node)),
                None => continue,
            },
            _ => continue,
        };
        let texts = node.attributes.iter().filter(|(key, _)| !key.starts_with('_'));
        let trace = texts.flat_map(|(key, texts)| texts.iter().map(move |text| format!("{key} = {text:?}")));
        sink.push(Finding::new(&METADATA, sink.at(node.offset), message).trace(trace));
    }
}
