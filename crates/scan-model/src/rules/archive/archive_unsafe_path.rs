use sealyard_scan::{Finding, rule};

use super::Artifact;
use crate::sink::Sink;

rule! {
    /// # What it does
    /// Reports members of tar and 7z archives that are written to, or link to, places outside the folder that is unpacked
    /// to: absolute names, `..`, links that lead out, members below links, and devices.
    ///
    /// # Why it matters
    /// Loaders of such models unpack them first, many of them with a function that trusts the names: a file in the home
    /// directory of whoever loads the model is then replaced before any weight is read.
    ///
    /// # What to do
    /// Do not unpack it. Have it packed again from a plain folder.
    id: "archive-unsafe-path",
    name: "Archive that writes outside its folder",
    severity: High,
    summary: "A member of an archive is written outside the folder that is unpacked to.",
    help: "Do not unpack it.",
    references: ["https://docs.python.org/3/library/tarfile.html#tarfile-extraction-filter"],
}

pub(super) fn check(concern: &Artifact, sink: &mut Sink) {
    if let Artifact::UnsafePath(message) = concern {
        sink.push(Finding::new(&METADATA, sink.location(), message.as_str()));
    }
}
