use sealyard_scan::rule;

use super::{Artifact, concern};
use crate::judge::Wrong;
use crate::sink::Sink;

rule! {
    /// # What it does
    /// Compares each call (`REDUCE`, `NEWOBJ`, `NEWOBJ_EX`, `INST`, `OBJ`) with the lists of exact names, operations and
    /// argument shapes that models of the supported libraries need.
    ///
    /// # Why it matters
    /// There are thousands of importable functions that can be turned into running code, and new ones are found each month.
    /// A list of bad names is never complete; a list of needed ones can be.
    ///
    /// # What to do
    /// If the name is your own code, review it and keep the model out of production until it is packaged in a supported format.
    id: "pickle-unlisted-call",
    name: "Call of an unlisted name",
    severity: High,
    summary: "Loading calls a name that no allow-list holds, or a listed one with other arguments.",
    help: "If the name is your own code, review it and keep the model out of production until it is packaged in a supported format.",
    references: ["https://docs.python.org/3/library/pickle.html#restricting-globals"],
}

pub(super) fn check(artifact: &Artifact<'_>, sink: &mut Sink) {
    concern::report(Wrong::UnlistedCall, &METADATA, artifact, sink);
}
