use sealyard_scan::rule;

use super::{Artifact, concern};
use crate::judge::Wrong;
use crate::sink::Sink;

rule! {
    /// # What it does
    /// Reports names with dots that are on no list, such as `_os.system` of the module `random`.
    ///
    /// # Why it matters
    /// From protocol 4 on the unpickler follows the dots. Each module that imports `os` then leads to `os.system`, past
    /// scanners that compare module names only.
    ///
    /// # What to do
    /// Do not load it.
    id: "pickle-dotted-traversal",
    name: "Dotted name",
    severity: High,
    summary: "A pickle walks through attributes to reach what it imports.",
    help: "Do not load it.",
    references: ["https://docs.python.org/3/library/pickle.html#pickle.Unpickler.find_class"],
}

pub(super) fn check(artifact: &Artifact<'_>, sink: &mut Sink) {
    concern::report(Wrong::DottedTraversal, &METADATA, artifact, sink);
}
