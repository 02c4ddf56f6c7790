use sealyard_scan::{Finding, rule};

use super::Artifact;
use crate::sink::Sink;

rule! {
    /// # What it does
    /// Reports GGUF and GGML files whose head can not be true: lengths and counts of more than the file has, keys and
    /// tensors of the same name, tensors that overlap, lie askew or go past the end.
    ///
    /// # Why it matters
    /// The readers are written in C. Lengths and places that they did not check have let files write outside of their
    /// memory, which can run code.
    ///
    /// # What to do
    /// Do not load the file; convert the model again.
    id: "gguf-layout",
    name: "GGUF file with a false head",
    severity: Medium,
    summary: "The head of a GGUF or GGML file says what can not be true.",
    help: "Do not load the file; convert the model again.",
    references: [
        "https://github.com/ggml-org/ggml/blob/master/docs/gguf.md",
        "https://nvd.nist.gov/vuln/detail/CVE-2024-21802",
    ],
}

/// Flaws of one file that are told.
const MOST: usize = 8;

pub(super) fn check(file: &Artifact, sink: &mut Sink) {
    for (offset, what) in file.flaws.iter().take(MOST) {
        sink.push(Finding::new(&METADATA, sink.at(*offset), what.clone()));
    }
}
