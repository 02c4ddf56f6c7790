use sealyard_scan::{Finding, rule};

use super::Artifact;
use crate::sink::Sink;

rule! {
    /// # What it does
    /// Reports safetensors files that the reference implementation refuses: a header that is no table or longer than the
    /// file, keys that occur twice, tensors that overlap, leave gaps, go past the end or do not have the size that their
    /// shape says, and bytes behind the last one.
    ///
    /// # Why it matters
    /// Readers that check less read memory that is not theirs, see other tensors than the scanner saw, or carry what is
    /// hidden between the tensors.
    ///
    /// # What to do
    /// Do not load the file; save the model again.
    id: "safetensors-layout",
    name: "safetensors file with a false header",
    severity: Medium,
    summary: "The header of a safetensors file does not describe the file.",
    help: "Do not load the file; save the model again.",
    references: ["https://huggingface.co/docs/safetensors/index#format"],
}

pub(super) fn check(file: &Artifact, sink: &mut Sink) {
    for what in &file.flaws {
        sink.push(Finding::new(&METADATA, sink.location(), what.clone()));
    }
}
