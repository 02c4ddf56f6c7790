use sealyard_scan::{Finding, rule};

use super::Artifact;
use crate::sink::Sink;

rule! {
    /// # What it does
    /// Reports names in the manifest of a TorchServe archive that lead out of the archive.
    ///
    /// # Why it matters
    /// The server opens or imports what the manifest names: with an absolute name or `..`, a file that is in no archive
    /// and was never scanned.
    ///
    /// # What to do
    /// Make the archive again with `torch-model-archiver`.
    id: "mar-manifest",
    name: "Manifest names a file outside of the archive",
    severity: High,
    summary: "The manifest of a TorchServe archive names a file outside of it.",
    help: "Make the archive again with torch-model-archiver.",
    references: ["https://github.com/pytorch/serve/blob/master/model-archiver/README.md"],
}

pub(super) fn check(concern: &Artifact, sink: &mut Sink) {
    if let Artifact::OutsidePath(path) = concern {
        sink.push(Finding::new(&METADATA, sink.location(), path.as_str()));
    }
}
