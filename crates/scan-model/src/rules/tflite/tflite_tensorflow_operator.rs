use sealyard_core::Severity;
use sealyard_scan::{Finding, rule};

use super::Artifact;
use crate::path::leaves;
use crate::rules::tensorflow::{Act, effect};
use crate::sink::Sink;

rule! {
    /// # What it does
    /// Looks at the operators of TensorFlow that a TensorFlow Lite model has kept (`Flex…`): by the node in their options,
    /// which is what runs, and by their name. Those that read or write files, talk to other machines, or call Python or
    /// native code are findings.
    ///
    /// # Why it matters
    /// An interpreter with the Flex delegate, which is in every `tensorflow` package for Python, runs them as TensorFlow
    /// does.
    ///
    /// # What to do
    /// Convert the model again without these operators.
    id: "tflite-tensorflow-operator",
    name: "TensorFlow operator with side effects",
    severity: High,
    summary: "A TensorFlow Lite model has an operator of TensorFlow that does more than compute.",
    help: "Convert the model again without the operator.",
    references: ["https://ai.google.dev/edge/litert/models/ops_select"],
}

/// Writes down that an operator of TensorFlow is meant.
pub(super) const PREFIX: &str = "Flex";

pub(super) fn check(artifact: &Artifact<'_>, sink: &mut Sink) {
    let mut report = |operator: &str, attributes: &[&str], offset: u64| {
        let Some(effect) = effect(operator) else { return };
        let (act, severity) = match effect.act {
            Act::Read | Act::Write | Act::Data => ("reads or writes files", Severity::High),
            Act::Network => ("talks to other machines", Severity::High),
            Act::Python => ("calls Python", Severity::Medium),
            Act::Native => ("calls native code", Severity::Medium),
            Act::Print | Act::Debug | Act::Table | Act::Memory if attributes.iter().any(|text| leaves(text)) => {
                ("writes to or reads from a place of the model's choice", Severity::High)
            }
            // Models that learn on a device save and restore, with a path that the caller gives.
            Act::Save | Act::Log | Act::Restore | Act::Print | Act::Debug | Act::Table | Act::Memory => return,
        };
        let message = format!("an operator {PREFIX}{operator} {act}");
        sink.push(Finding::new(&METADATA, sink.at(offset), message).severity(severity));
    };
    for (offset, graphs) in &artifact.nodes {
        for node in &graphs.nodes {
            report(&node.operator, &node.texts().collect::<Vec<_>>(), *offset);
        }
    }
    for custom in &artifact.model.custom {
        let is_seen = artifact.nodes.iter().any(|(offset, _)| *offset == custom.offset);
        if let (Some(operator), false) = (custom.name.strip_prefix(PREFIX), is_seen) {
            report(operator, &[], custom.offset);
        }
    }
}
