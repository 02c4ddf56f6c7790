use sealyard_core::Severity;
use sealyard_scan::{Finding, rule};

use super::{Act, Artifact, title};
use crate::sink::Sink;

rule! {
    /// # What it does
    /// Follows the paths of operators that every saved model has, because it can be saved and restored (`SaveV2`,
    /// `RestoreV2`, `MergeV2Checkpoints`), and of those that keep a cache or a log. Constants that lead out of the model's
    /// folder are findings.
    ///
    /// # Why it matters
    /// Usually the caller gives the path. With a path of its own a graph writes over files, or takes its numbers from
    /// files that nobody has scanned.
    ///
    /// # What to do
    /// Save the model again with `tf.saved_model.save` or `tf.train.Checkpoint`.
    id: "tensorflow-checkpoint-path",
    name: "Checkpoint at a path of the model's choice",
    severity: High,
    summary: "A TensorFlow graph saves to, or restores from, a path outside of the model's folder.",
    help: "Save the model again, so that the caller gives the path.",
    references: ["https://www.tensorflow.org/api_docs/python/tf/raw_ops/SaveV2"],
}

/// Where a model has its own checkpoint.
const VARIABLES: &str = "variables/";

pub(super) fn check(artifact: &Artifact<'_>, sink: &mut Sink) {
    for (node, effect) in artifact.effects() {
        let (act, severity) = match effect.act {
            Act::Save => ("writes to", Severity::High),
            Act::Restore => ("restores from", Severity::Medium),
            _ => continue,
        };
        // Savers take the path from a placeholder. A constant one is written by hand.
        let fixed = || match effect.act {
            Act::Save => {
                let path = artifact.graphs.constant_into(node, effect.inputs.first().copied()?);
                path.filter(|path| !path.starts_with(VARIABLES))
            }
            _ => None,
        };
        let (path, severity) = match artifact.outside(node, effect) {
            Some(path) => (path, severity),
            None => match fixed() {
                Some(path) => (path, Severity::Medium),
                None => continue,
            },
        };
        let message = format!("{} {act} {path}", title(node));
        sink.push(Finding::new(&METADATA, sink.at(node.offset), message).severity(severity));
    }
}
