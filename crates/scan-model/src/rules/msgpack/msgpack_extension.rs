use sealyard_scan::{Finding, rule};

use super::Artifact;
use crate::sink::Sink;

rule! {
    /// # What it does
    /// Reports MessagePack files with extensions other than those of Flax (arrays, complex numbers, scalars) and of times.
    ///
    /// # Why it matters
    /// What an extension becomes, the reader's own function decides; some readers unpickle them.
    ///
    /// # What to do
    /// Find out what the extension holds, and write the model again without it.
    id: "msgpack-extension",
    name: "Unknown extension in a MessagePack file",
    severity: Medium,
    summary: "A MessagePack file has an extension that no model needs.",
    help: "Find out what the extension holds, and write the model again without it.",
    references: ["https://github.com/msgpack/msgpack/blob/master/spec.md#extension-types"],
}

/// Times, and Flax's arrays, complex numbers and scalars.
const KNOWN: &[i8] = &[-1, 1, 2, 3];

pub(super) fn check(message: &Artifact, sink: &mut Sink) {
    for (kind, (count, offset)) in message.extensions.iter().filter(|(kind, _)| !KNOWN.contains(kind)) {
        let message = format!("it holds the extension {kind}, {count} times");
        sink.push(Finding::new(&METADATA, sink.at(*offset), message));
    }
}
