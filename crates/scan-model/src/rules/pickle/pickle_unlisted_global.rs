use sealyard_scan::rule;

use super::{Artifact, concern};
use crate::judge::Wrong;
use crate::sink::Sink;

rule! {
    /// # What it does
    /// Reports names that are imported but not called while loading, and are on no list.
    ///
    /// # Why it matters
    /// The import itself runs the module, and what was stored may be called when the model predicts.
    ///
    /// # What to do
    /// Check what the name is and whether the model needs it.
    id: "pickle-unlisted-global",
    name: "Unlisted name",
    severity: Medium,
    summary: "A pickle refers to a name that no allow-list holds.",
    help: "Check what the name is and whether the model needs it.",
    references: ["https://docs.python.org/3/library/pickle.html#restricting-globals"],
}

pub(super) fn check(artifact: &Artifact<'_>, sink: &mut Sink) {
    concern::report(Wrong::UnlistedGlobal, &METADATA, artifact, sink);
}
