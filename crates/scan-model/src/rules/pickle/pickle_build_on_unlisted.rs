use sealyard_scan::rule;

use super::{Artifact, concern};
use crate::judge::Wrong;
use crate::sink::Sink;

rule! {
    /// # What it does
    /// Reports `BUILD`, `SETITEM(S)`, `APPEND(S)` and `ADDITEMS` on classes, functions and objects that no list lets change, and
    /// states that set special attributes such as `__setstate__`.
    ///
    /// # Why it matters
    /// `BUILD` sets attributes. On a class or module it replaces methods of code that is already loaded; a special attribute
    /// changes what the next opcode calls.
    ///
    /// # What to do
    /// Do not load it.
    id: "pickle-build-on-unlisted",
    name: "State on something unexpected",
    severity: High,
    summary: "A pickle gives state or items to something that may not get any.",
    help: "Do not load it.",
    references: ["https://docs.python.org/3/library/pickle.html#object.__setstate__"],
}

pub(super) fn check(artifact: &Artifact<'_>, sink: &mut Sink) {
    concern::report(Wrong::BuildOnUnlisted, &METADATA, artifact, sink);
}
