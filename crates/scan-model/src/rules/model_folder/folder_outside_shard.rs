use sealyard_scan::{Finding, rule};

use super::Artifact;
use crate::sink::Sink;

rule! {
    /// # What it does
    /// Reports shards in an index of weights (`*.index.json`) that lie outside of the model's folder.
    ///
    /// # Why it matters
    /// The loader opens what the index names. A file outside the folder is in no manifest, has not been scanned, and may
    /// be a pickle.
    ///
    /// # What to do
    /// Save the model again, so that all its files lie in its folder.
    id: "folder-outside-shard",
    name: "Shard outside of the model's folder",
    severity: High,
    summary: "An index of weights names a file outside of the model's folder.",
    help: "Save the model again, so that all its files lie in its folder.",
    references: ["https://huggingface.co/docs/transformers/big_models"],
}

pub(super) fn check(shard: &Artifact, sink: &mut Sink) {
    sink.push(Finding::new(&METADATA, sink.location(), format!("the index names {:?}", shard.name)));
}
