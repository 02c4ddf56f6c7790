use sealyard_scan::{Finding, rule};

use super::Artifact;
use crate::sink::Sink;

rule! {
    /// # What it does
    /// Reports MessagePack, UBJSON, XGBoost and CatBoost files with a length, count or place that the file has no room
    /// for, values of types that there are not, and bytes behind their end.
    ///
    /// # Why it matters
    /// Readers that believe the number take memory until the host has none, or read and write what is not theirs.
    ///
    /// # What to do
    /// Do not load the file; save the model again.
    id: "false-length",
    name: "False length in a model file",
    severity: Medium,
    summary: "A binary model file claims more than it holds.",
    help: "Do not load the file; save the model again.",
    references: ["https://cwe.mitre.org/data/definitions/130.html"],
}

pub(super) fn check(file: &Artifact, sink: &mut Sink) {
    for (offset, what) in &file.flaws {
        sink.push(Finding::new(&METADATA, sink.at(*offset), format!("the {} file is false: {what}", file.form)));
    }
}
